# The category's branch alone, after all else: garments beside the labelled ones teach where points
# are, but leave open what a whole picture goes by. The points do not move by this.
_base_ = ['heatmap_lite2_320_fashion.py']

model = dict(
    backbone=dict(frozen_stages=6, drop_path_rate=0.0),
    head=dict(only_category=True, category_weight=1.0))

# The first look is at the whole picture, and decides.
train_dataloader = dict(dataset=dict(pipeline=[
    {**transform, 'prob': 0.6, 'whole_prob': 0.6}
    if transform['type'] == 'RandomWiderBBox' else transform
    for transform in _base_.train_dataloader.dataset.pipeline
]))

base_lr = 1e-3
optim_wrapper = dict(optimizer=dict(lr=base_lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]

# The same samples until the end.
custom_hooks = _base_.custom_hooks[:-1]
