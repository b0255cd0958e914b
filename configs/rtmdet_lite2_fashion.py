# RTMDet on EfficientNet-Lite2, whose backbone has learned garments from their points before: it
# knows more of what tells a coat from a dress than ImageNet's weights do. The detector that ships:
#   python tools/label_neighbours.py TRAIN.csv ALL.json --images FOLDER
#   MAX_EPOCHS=20 python tools/train.py configs/rtmdet_lite2_fashion.py --amp \
#       --cfg-options train_dataloader.dataset.ann_file=ALL.json
_base_ = ['rtmdet_lite0_fashion.py']

from fashionkp_mm.plugin.detection.recipes import with_input_size
from fashionkp_mm.plugin.efficientnet_lite import stage_channels

# It is surer of what it finds than the smaller one, whose threshold is 0.3.
score_threshold = 0.4

input_size = (224, 224)
stages = (2, 4, 6)  # strides 8, 16 and 32

model = dict(
    backbone=dict(
        variant='lite2',
        drop_path_rate=0.1,
        frozen_stages=2,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='{{ fileDirname }}/../weights/heatmap_lite2_320_fashion.pth',
            prefix='backbone.')),
    neck=dict(in_channels=[stage_channels('lite2')[stage] for stage in stages]))

train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=with_input_size(_base_.train_pipeline, input_size)))
val_dataloader = dict(dataset=dict(pipeline=with_input_size(_base_.val_pipeline, input_size)))
test_dataloader = val_dataloader
