# What `make demo` trains on drawn garments: RTMPose-t at 128x128, some minutes on two cores.
_base_ = ['rtmpose_t_fashion.py']

from fashionkp_mm.plugin.recipes import with_codec

max_epochs = 15

codec = {**_base_.codec, 'input_size': (128, 128), 'sigma': (4.0, 4.0)}

model = dict(
    head=dict(
        pose_head=dict(
            input_size=codec['input_size'], in_featuremap_size=(4, 4), decoder=codec)))

train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=with_codec(_base_.train_pipeline_stage2, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, by_epoch=False, begin=0, end=60),
    dict(
        type='CosineAnnealingLR',
        eta_min=_base_.base_lr * 0.02,
        T_max=max_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
# No switch of pipelines: the mild one serves from the start. No longer than four minutes anywhere.
custom_hooks = [*_base_.custom_hooks[:-1], dict(type='TimeLimitHook', minutes=4)]
