# EfficientNet-Lite0 under heatmaps at stride 4, with a light feature pyramid between them: where
# few images are labelled, heatmaps learn faster than RTMPose's fully connected head.
_base_ = ['rtmpose_lite0_fashion.py']

from fashionkp_mm.core import garments
from fashionkp_mm.plugin.config_helpers import efficientnet_lite_pyramid, with_codec

codec = dict(type='CentroidHeatmap', input_size=(192, 192), heatmap_size=(48, 48), sigma=2)

pyramid = efficientnet_lite_pyramid('lite0', stages=(1, 2, 4, 6), out_channels=96)
model = dict(
    backbone=pyramid['backbone'],
    head=dict(
        **pyramid['head'],
        pose_head=dict(
            _delete_=True,
            type='HeatmapHead',
            in_channels=96,
            out_channels=garments.NUM_KEYPOINTS,
            deconv_out_channels=None,
            # Squared errors of heatmaps are tiny beside the losses of category and visibility.
            loss=dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=100.0),
            decoder=codec)))

train_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.train_pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {**_base_.custom_hooks[-1], 'switch_pipeline': with_codec(_base_.train_pipeline_stage2, codec)},
]
