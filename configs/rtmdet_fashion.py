# RTMDet-tiny at 320x320: where the garments are, and of which category. They are large in their
# pictures, so this is enough, and a quarter of the work at RTMDet's own 640x640.
_base_ = ['_base_/fashionai_det.py']

from fashionkp_mm.plugin.detection.recipes import stock_detector, with_input_size

input_size = (320, 320)

model = stock_detector('rtmdet/rtmdet_tiny_8xb32-300e_coco')
# Two garments of one category hardly overlap.
model.test_cfg.nms.iou_threshold = 0.5
# For the exported detector: from this score on, a box is taken for a garment.
score_threshold = 0.3

train_dataloader = dict(
    dataset=dict(pipeline=with_input_size(_base_.train_pipeline, input_size)))
val_dataloader = dict(dataset=dict(pipeline=with_input_size(_base_.val_pipeline, input_size)))
test_dataloader = val_dataloader
