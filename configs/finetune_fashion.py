# The model that ships, trained further on tens to hundreds of pictures of your own, as
# docs/finetune.md says. OWN_DATA is their folder, with the labels train.json and val.json, of any
# format that `fashionkp convert` reads:
#   OWN_DATA=photos MAX_EPOCHS=20 python tools/train.py configs/finetune_fashion.py --amp
_base_ = ['heatmap_lite2_320_fashion.py']
load_from = '{{ fileDirname }}/../weights/heatmap_lite2_320_fashion.pth'

data = dict(
    data_root='{{$OWN_DATA:data/own}}',
    data_prefix=dict(img=''))
# Other pictures than those that the weights know: every stage may learn, and fast.
model = dict(backbone=dict(frozen_stages=-1))
base_lr = 1e-3
optim_wrapper = dict(optimizer=dict(lr=base_lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]

# Mild from the start.
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        **data,
        ann_file='train.json',
        pipeline=_base_.custom_hooks[-1].switch_pipeline))
val_dataloader = dict(dataset=dict(**data, ann_file='val.json'))
test_dataloader = val_dataloader

train_cfg = dict(val_interval=max(1, _base_.max_epochs // 3))
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
# All but the last, which would switch the pipeline.
custom_hooks = [*_base_.custom_hooks[:-1], dict(type='KeepNormStatisticsHook')]
