# HRNet-w48 with heatmaps at 384x384: the largest network here, for a GPU.
_base_ = ['hrnet_fashion.py']

from fashionkp_mm.core import garments
from fashionkp_mm.plugin.config_helpers import stock_model, with_codec

codec = dict(type='UDPHeatmap', input_size=(384, 384), heatmap_size=(96, 96), sigma=3)

model = stock_model(
    'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_udp-8xb32-210e_coco-384x288')
model.head.pose_head.update(out_channels=garments.NUM_KEYPOINTS, decoder=codec)

train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=with_codec(_base_.train_pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {**_base_.custom_hooks[-1], 'switch_pipeline': with_codec(_base_.train_pipeline_stage2, codec)},
]
