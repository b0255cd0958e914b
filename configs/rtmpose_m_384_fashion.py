# RTMPose-m at 384x384: for a GPU.
_base_ = ['rtmpose_384_fashion.py']

from fashionkp_mm.plugin.recipes import stock_model

stock = stock_model('body_2d_keypoint/rtmpose/coco/rtmpose-m_8xb256-420e_aic-coco-384x288')
model = dict(
    backbone=dict(
        deepen_factor=stock.backbone.deepen_factor,
        widen_factor=stock.backbone.widen_factor,
        init_cfg=stock.backbone.init_cfg),
    head=dict(pose_head=dict(in_channels=stock.head.pose_head.in_channels)))
