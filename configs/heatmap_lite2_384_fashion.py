# The larger backbone at 384x384, trained further from what 320x320 pixels have taught it.
_base_ = ['heatmap_lite2_320_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec

codec = dict(type='CentroidHeatmap', input_size=(384, 384), heatmap_size=(96, 96), sigma=2)

model = dict(head=dict(pose_head=dict(decoder=codec)))

train_dataloader = dict(
    dataset=dict(pipeline=with_codec(_base_.train_dataloader.dataset.pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {
        **_base_.custom_hooks[-1],
        'switch_pipeline': with_codec(_base_.custom_hooks[-1].switch_pipeline, codec),
    },
]
