# What `make demo` trains on drawn garments: a light head at 128x128, some minutes on two cores.
# From the backbone of the shipped model (--pretrained FILE), a hundred steps are enough.
_base_ = ['rtmpose_lite0_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec
from fashionkp_mm.plugin.efficientnet_lite import stage_channels, weights_url

max_epochs = 16

codec = {**_base_.codec, 'input_size': (128, 128), 'sigma': (4.0, 4.0)}

model = dict(
    backbone=dict(
        variant='lite2',
        frozen_stages=4,
        init_cfg=dict(type='Pretrained', checkpoint=weights_url('lite2'))),
    head=dict(
        pose_head=dict(
            in_channels=stage_channels('lite2')[6],
            input_size=codec['input_size'], in_featuremap_size=(4, 4), decoder=codec)))

train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=with_codec(_base_.train_pipeline_stage2, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

# As many of these epochs as fit into the time, the learning rate's schedule stretched to them.
train_cfg = dict(
    _delete_=True,
    type='TimeBudgetLoop',
    max_epochs=max_epochs,
    val_interval=max_epochs,
    minutes=4,
    min_iters=80)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, by_epoch=False, begin=0, end=40),
    dict(
        type='CosineAnnealingLR',
        eta_min=_base_.base_lr * 0.02,
        T_max=max_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
# No switch of pipelines: the mild one serves from the start.
custom_hooks = _base_.custom_hooks[:-1]
