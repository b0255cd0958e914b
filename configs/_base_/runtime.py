# How every model here is trained, logged and saved.
_base_ = ['mmpose::_base_/default_runtime.py']

default_hooks = dict(
    checkpoint=dict(
        type='PlainCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='fashionai/NE',
        rule='less'))

randomness = dict(seed=21)

visualizer = dict(type='FashionVisualizer')
