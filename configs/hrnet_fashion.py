# HRNet-w32 with unbiased (UDP) heatmaps at 256x256.
_base_ = ['_base_/fashionai.py', '_base_/schedule.py']

from fashionkp_mm.core import garments
from fashionkp_mm.plugin.config_helpers import stock_model, with_codec

codec = dict(type='UDPHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2)

model = stock_model(
    'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192')
model.head.pose_head.update(out_channels=garments.NUM_KEYPOINTS, decoder=codec)
# Squared errors of heatmaps are tiny beside the losses of category and visibility.
model.head.pose_head.loss.loss_weight = 100.0
model.head.hidden_channels = 64  # at stride 4, 256 would cost as much as a stage of HRNet

optim_wrapper = dict(optimizer=dict(lr=5e-4))

train_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.train_pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='mmdet.PipelineSwitchHook',
        switch_epoch=_base_.switch_epoch,
        switch_pipeline=with_codec(_base_.train_pipeline_stage2, codec)),
]
