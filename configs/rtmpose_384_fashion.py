# RTMPose-s at 384x384.
_base_ = ['rtmpose_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec

codec = {**_base_.codec, 'input_size': (384, 384), 'sigma': (6.93, 6.93)}

model = dict(
    head=dict(
        pose_head=dict(
            input_size=codec['input_size'], in_featuremap_size=(12, 12), decoder=codec)))

train_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.train_pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {**_base_.custom_hooks[-1], 'switch_pipeline': with_codec(_base_.train_pipeline_stage2, codec)},
]
