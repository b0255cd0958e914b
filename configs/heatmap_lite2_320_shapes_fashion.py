# heatmap_lite2_320_long_fashion.py with garments bent to other garments' shapes, from a file of
# labels whose pictures need not be there. The mean of both trainings' weights is better than each:
# tools/average_weights.py.
_base_ = ['heatmap_lite2_320_long_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_transforms

warp = dict(
    type='RandomShapeWarp',
    shapes='{{$FASHIONAI_SHAPES:data/fashionai/annotations_2018.csv}}',
    exclude=[_base_.data_root + '/val/Annotations/val.csv'],
    prob=0.35)

train_dataloader = dict(dataset=dict(pipeline=with_transforms(
    _base_.train_dataloader.dataset.pipeline, 'TopdownAffine', warp)))

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {
        **_base_.custom_hooks[-1],
        'switch_pipeline': with_transforms(
            _base_.custom_hooks[-1].switch_pipeline, 'TopdownAffine', {**warp, 'prob': 0.15}),
    },
]

randomness = dict(seed=22)
