# As heatmap_lite2_320_fashion.py, for many epochs on a GPU: every stage learns, larger batches, and
# blocks are skipped more often, as the network will see each picture some hundred times.
_base_ = ['heatmap_lite2_320_fashion.py']

model = dict(
    backbone=dict(frozen_stages=-1, drop_path_rate=0.2),
    # The accuracy that MMPose logs is computed on the CPU and takes longer there than a step here.
    train_cfg=dict(compute_acc=False))

train_dataloader = dict(batch_size=64, num_workers=5)

base_lr = 7e-4
optim_wrapper = dict(optimizer=dict(lr=base_lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'eta_min': base_lr * 0.02},
]
