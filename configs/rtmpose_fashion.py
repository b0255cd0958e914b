# RTMPose-s at 256x256.
_base_ = ['_base_/fashionai.py', '_base_/schedule.py']

from fashionkp_mm.core import garments
from fashionkp_mm.plugin.config_helpers import stock_model, with_codec

codec = dict(
    type='SimCCLabel',
    input_size=(256, 256),
    sigma=(5.66, 5.66),
    simcc_split_ratio=2.0,
    normalize=False,
    use_dark=False)

model = stock_model('body_2d_keypoint/rtmpose/coco/rtmpose-s_8xb256-420e_coco-256x192')
# MMPose has a CSPNeXt of its own; SyncBN would keep it from running without a GPU.
model.backbone.pop('_scope_')
model.backbone.norm_cfg = dict(type='BN')
model.head.pose_head.update(
    out_channels=garments.NUM_KEYPOINTS,
    input_size=codec['input_size'],
    in_featuremap_size=tuple(size // 32 for size in codec['input_size']),
    decoder=codec)

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
