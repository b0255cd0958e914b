# The larger backbone at 256x256, trained further from what 192x192 pixels have taught it.
_base_ = ['heatmap_lite0_256_fashion.py']

from fashionkp_mm.plugin.config_helpers import efficientnet_lite_pyramid

model = efficientnet_lite_pyramid('lite2', stages=(1, 2, 4, 6), out_channels=96)
model['backbone']['drop_path_rate'] = 0.1
