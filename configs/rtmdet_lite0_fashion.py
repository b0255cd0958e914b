# RTMDet's neck and head on EfficientNet-Lite0, whose ImageNet weights come from the package index:
# for machines that reach no model hub, and quick to train without a GPU.
_base_ = ['rtmdet_fashion.py']

from fashionkp_mm.plugin.detection.recipes import with_input_size
from fashionkp_mm.plugin.efficientnet_lite import stage_channels, weights_url

input_size = (192, 192)
stages = (2, 4, 6)  # strides 8, 16 and 32

model = dict(
    # TensorFlow's normalisation, which the weights were trained with.
    data_preprocessor=dict(mean=[127.0] * 3, std=[128.0] * 3, bgr_to_rgb=True),
    backbone=dict(
        _delete_=True,
        type='mmpose.EfficientNetLite',
        out_indices=stages,
        frozen_stages=1,
        init_cfg=dict(type='Pretrained', checkpoint=weights_url('lite0'))),
    neck=dict(in_channels=[stage_channels('lite0')[stage] for stage in stages]))

# The backbone knows its trade; neck and head start from nothing.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.5))))

train_dataloader = dict(
    dataset=dict(pipeline=with_input_size(_base_.train_pipeline, input_size)))
val_dataloader = dict(dataset=dict(pipeline=with_input_size(_base_.val_pipeline, input_size)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-1],
    # Some thousand steps in all: the average has to forget its beginnings sooner.
    {**_base_.custom_hooks[-1], 'momentum': 0.002, 'gamma': 200},
]
