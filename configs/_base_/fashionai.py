# The FashionAI data: where it is, how a sample is made of it, how predictions are scored.
# A model's config gives the pipelines their codec (`with_codec`) and repeats nothing else.
custom_imports = dict(imports=['fashionkp_mm.plugin'], allow_failed_imports=False)

dataset_type = 'FashionAIDataset'
data_mode = 'topdown'
data_root = '{{$FASHIONAI_ROOT:data/fashionai}}'

train_pipeline = [
    dict(type='LoadGarmentImage'),
    dict(type='RandomWiderBBox'),
    dict(type='GetBBoxCenterScale'),
    dict(type='GarmentFlip', direction='horizontal'),
    dict(type='GarmentBBoxTransform', scale_factor=[0.75, 1.25], rotate_factor=40),
    dict(type='TopdownAffine'),
    dict(type='GarmentHSVAug', hue_delta=15, saturation_delta=50, value_delta=50),
    dict(type='GenerateTarget'),
    dict(type='WeightOccludedKeypoints', weight=1.0),
    dict(type='PackPoseInputs'),
]
# Milder, for the last epochs.
train_pipeline_stage2 = [
    dict(type='LoadGarmentImage'),
    dict(type='RandomWiderBBox'),
    dict(type='GetBBoxCenterScale'),
    dict(type='GarmentFlip', direction='horizontal'),
    dict(
        type='GarmentBBoxTransform',
        shift_factor=0.08,
        scale_factor=[0.85, 1.15],
        rotate_factor=20),
    dict(type='TopdownAffine'),
    dict(type='GarmentHSVAug', hue_delta=15, saturation_delta=50, value_delta=50),
    dict(type='GenerateTarget'),
    dict(type='WeightOccludedKeypoints', weight=1.0),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    dict(type='LoadGarmentImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine'),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    # One tensor for all pictures: they come in one size.
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root=data_root,
        ann_file='train/Annotations/train.csv',
        data_prefix=dict(img='train'),
        # or 'whole', or a CSV of boxes; every NE that is printed names it
        bbox_source='label'))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root=data_root,
        ann_file='val/Annotations/val.csv',
        data_prefix=dict(img='val'),
        bbox_source='label',
        test_mode=True))
test_dataloader = val_dataloader

val_evaluator = [dict(type='NormalizedError'), dict(type='GarmentRecognition')]
test_evaluator = val_evaluator
