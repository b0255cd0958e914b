# The larger backbone at 320x320, trained further from what 256x256 pixels have taught it: the model
# that ships, as docs/model_card.md says.
_base_ = ['heatmap_lite2_256_fashion.py']

from fashionkp_mm.plugin.config_helpers import with_codec

codec = dict(type='CentroidHeatmap', input_size=(320, 320), heatmap_size=(80, 80), sigma=2)

# The temperature is from half of the validation images: benchmarks/category_temperature.py.
model = dict(head=dict(pose_head=dict(decoder=codec), category_temperature=3.5))

train_dataloader = dict(
    dataset=dict(pipeline=with_codec(_base_.train_dataloader.dataset.pipeline, codec)))
val_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_dataloader = val_dataloader

# It knows nearly all by now.
base_lr = 5e-4
optim_wrapper = dict(optimizer=dict(lr=base_lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]

custom_hooks = [
    *_base_.custom_hooks[:-1],
    {
        **_base_.custom_hooks[-1],
        'switch_pipeline': with_codec(_base_.custom_hooks[-1].switch_pipeline, codec),
    },
]
