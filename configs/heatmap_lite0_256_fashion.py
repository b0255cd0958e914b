# The same network at 256x256, trained further from what 192x192 pixels have taught it, on pictures
# that are warped and partly hidden:
#   python tools/train.py configs/heatmap_lite0_256_fashion.py --amp \
#       --cfg-options load_from=work_dirs/heatmap_lite0_fashion/best_fashionai_NE_epoch_30.pth
_base_ = ['heatmap_lite0_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec, with_transforms

codec = dict(type='CentroidHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2)

# One stage more than at 192x192 stays as it is, for a quicker step: it knows clothes by now.
model = dict(
    backbone=dict(frozen_stages=2),
    head=dict(pose_head=dict(decoder=codec)))

# Each picture is decoded once, not in every epoch.
load = dict(type='LoadGarmentImage', cache_mb=2048)
train_pipeline = with_codec([load, *_base_.train_pipeline[1:]], codec)
train_pipeline_stage2 = with_codec([load, *_base_.train_pipeline_stage2[1:]], codec)
train_dataloader = dict(dataset=dict(pipeline=with_transforms(
    train_pipeline,
    'TopdownAffine',
    dict(type='RandomCropPerspective', prob=0.5, max_shift=0.1),
    dict(type='RandomCropErasing', prob=0.5))))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

base_lr = 1e-3
optim_wrapper = dict(optimizer=dict(lr=base_lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {
        **_base_.custom_hooks[-1],
        'switch_pipeline': with_transforms(
            train_pipeline_stage2,
            'TopdownAffine',
            dict(type='RandomCropPerspective', prob=0.5, max_shift=0.05),
            dict(type='RandomCropErasing', prob=0.25, sides=(0.1, 0.25))),
    },
]
