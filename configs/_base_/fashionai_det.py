# FashionAI's garments as boxes, for MMDetection: the data, how a sample is made of it, how boxes
# are scored, and what in schedule and runtime is another framework's. A model's config gives the
# pipelines their size (`with_input_size`) and repeats nothing else.
_base_ = ['schedule.py']

custom_imports = dict(imports=['fashionkp_mm.plugin.detection'], allow_failed_imports=False)
default_scope = 'mmdet'

dataset_type = 'FashionAIDetDataset'
data_root = '{{$FASHIONAI_ROOT:data/fashionai}}'

# RTMDet's second stage, with less scaling: a garment fills half of its picture. Neither mosaic nor
# mix-up: they put four pictures on one canvas or two into one, and what a class's label says of the
# rest of its own picture (see GarmentRTMDetHead) does not hold for its neighbours there.
train_pipeline = [
    dict(type='mmpose.LoadGarmentImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomResize', ratio_range=(0.5, 1.25), keep_ratio=True),
    dict(type='RandomCrop'),
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='Pad', pad_val=dict(img=(114, 114, 114))),
    dict(type='PackDetInputs'),
]
val_pipeline = [
    dict(type='mmpose.LoadGarmentImage'),
    dict(type='Resize', keep_ratio=True),
    dict(type='Pad', pad_val=dict(img=(114, 114, 114))),
    # After the resizing, so that labels are drawn on the picture as it is.
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=(
            'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances',
            'label_category')),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='train/Annotations/train.csv',
        data_prefix=dict(img='train')))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='val/Annotations/val.csv',
        data_prefix=dict(img='val'),
        test_mode=True))
test_dataloader = val_dataloader

# A garment that is found rightly but has no label counts as a false alarm in COCO's AP, so read it
# beside the overlap of the labelled category's best box.
val_evaluator = [
    dict(type='CocoMetric', metric='bbox', classwise=True),
    dict(type='BestBoxOverlap'),
]
test_evaluator = val_evaluator

auto_scale_lr = dict(base_batch_size=16)

default_hooks = dict(
    checkpoint=dict(save_best='coco/bbox_mAP', rule='greater'),
    visualization=dict(_delete_=True, type='DetVisualizationHook'))
custom_hooks = [
    dict(type='SyncAllBuffersHook'),
    dict(
        type='EMAHook',
        ema_type='GroupedMomentumEMA',
        momentum=0.0002,
        update_buffers=True,
        priority=49),
]
visualizer = dict(
    _delete_=True,
    type='DetLocalVisualizer',
    name='visualizer',
    vis_backends=[dict(type='LocalVisBackend')])
