# RTMPose-m at 256x256.
_base_ = ['rtmpose_fashion.py']

from fashionkp_mm.plugin.config_helpers import rtmpose_size

model = rtmpose_size('body_2d_keypoint/rtmpose/coco/rtmpose-m_8xb256-420e_coco-256x192')
