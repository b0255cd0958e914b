# EfficientNet-Lite0 under RTMPose's head at 192x192: small, and its ImageNet weights come from the
# package index (the extra "lite0").
_base_ = ['rtmpose_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec
from fashionkp_mm.plugin.efficientnet_lite import stage_channels, weights_url

codec = {**_base_.codec, 'input_size': (192, 192), 'sigma': (4.9, 4.9)}

model = dict(
    # TensorFlow's normalisation, which the weights were trained with.
    data_preprocessor=dict(mean=[127.0] * 3, std=[128.0] * 3),
    backbone=dict(
        _delete_=True,
        type='EfficientNetLite',
        out_indices=(6,),
        # Edges and textures stay as ImageNet taught them; their layers cost most of a step.
        frozen_stages=1,
        init_cfg=dict(type='Pretrained', checkpoint=weights_url('lite0'))),
    head=dict(
        pose_head=dict(
            in_channels=stage_channels('lite0')[6],
            input_size=codec['input_size'],
            in_featuremap_size=(6, 6),
            decoder=codec)))

base_lr = 1.5e-3
optim_wrapper = dict(
    optimizer=dict(lr=base_lr),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.3))))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]

train_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.train_pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-2],
    # A few thousand steps in all: the average has to forget its beginnings sooner.
    {**_base_.custom_hooks[-2], 'momentum': 0.002, 'gamma': 200},
    {**_base_.custom_hooks[-1], 'switch_pipeline': with_codec(_base_.train_pipeline_stage2, codec)},
]
