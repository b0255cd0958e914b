# RTMPose's recipe, with the learning rate of a batch of 32: AdamW, no decay on norms and biases,
# linear warm-up, cosine from half-way on, EMA, milder augmentation in the last quarter.
_base_ = ['runtime.py']

# Everything below scales with it: MAX_EPOCHS=10 python tools/train.py …
max_epochs = {{'$MAX_EPOCHS:30'}}
switch_epoch = max_epochs * 3 // 4
base_lr = 1e-3

train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max(1, max_epochs // 10))
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=base_lr, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True))

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        begin=0,
        end=max(1, max_epochs // 20),
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=base_lr * 0.05,
        begin=max_epochs // 2,
        end=max_epochs,
        T_max=max_epochs - max_epochs // 2,
        by_epoch=True,
        convert_to_iter_based=True),
]

custom_hooks = [
    dict(type='CheckImagesHook'),
    dict(type='ContactSheetHook'),
    dict(type='SyncAllBuffersHook'),
    dict(
        type='EMAHook',
        ema_type='GroupedMomentumEMA',
        momentum=0.0002,
        update_buffers=True,
        priority=49),
]

auto_scale_lr = dict(base_batch_size=32)
