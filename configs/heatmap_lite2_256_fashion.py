# The larger backbone at 256x256, trained further from what 192x192 pixels have taught it, with
# garments bent to the shapes of others: those of the training labels, or of any larger file of
# labels, whose pictures need not be there (FASHIONAI_SHAPES, a path from the data's folder).
_base_ = ['heatmap_lite0_256_fashion.py']

from fashionkp_mm.plugin.config_helpers import efficientnet_lite_pyramid, with_transforms

model = efficientnet_lite_pyramid('lite2', stages=(1, 2, 4, 6), out_channels=96)
model['backbone']['drop_path_rate'] = 0.1

shape_file = '{{$FASHIONAI_SHAPES:train/Annotations/train.csv}}'
warp = dict(
    type='RandomShapeWarp',
    shapes=f'{_base_.data_root}/{shape_file}',
    exclude=[f'{_base_.data_root}/{_base_.val_dataloader.dataset.ann_file}'],
    prob=0.6)
train_dataloader = dict(dataset=dict(pipeline=with_transforms(
    _base_.train_dataloader.dataset.pipeline, 'TopdownAffine', warp)))

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {
        **_base_.custom_hooks[-1],
        'switch_pipeline': with_transforms(
            _base_.custom_hooks[-1].switch_pipeline, 'TopdownAffine', {**warp, 'prob': 0.3}),
    },
]
