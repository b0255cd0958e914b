# EfficientNet-Lite2 in place of Lite0: slower, and its ImageNet weights know more.
_base_ = ['heatmap_lite0_fashion.py']

from fashionkp_mm.plugin.config_helpers import efficientnet_lite_pyramid

model = efficientnet_lite_pyramid('lite2', stages=(1, 2, 4, 6), out_channels=96)
model['backbone']['drop_path_rate'] = 0.1
