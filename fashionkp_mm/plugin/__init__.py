"""What MMPose sees of FashionAI. Importing this package registers it all with MMPose.

In a config: ``custom_imports = dict(imports=['fashionkp_mm.plugin'])``.
"""

from fashionkp_mm.plugin.checkpoint_hook import PlainCheckpointHook
from fashionkp_mm.plugin.cpu_amp import CPUAmpOptimWrapper
from fashionkp_mm.plugin.dataset import FashionAIDataset
from fashionkp_mm.plugin.hooks import CheckImagesHook
from fashionkp_mm.plugin.metric import NormalizedError
from fashionkp_mm.plugin.transforms import (
    GarmentFlip,
    LoadGarmentImage,
    WeightOccludedKeypoints,
)
from fashionkp_mm.plugin.visualizer import FashionVisualizer

__all__ = [
    "CPUAmpOptimWrapper",
    "CheckImagesHook",
    "FashionAIDataset",
    "FashionVisualizer",
    "GarmentFlip",
    "LoadGarmentImage",
    "NormalizedError",
    "PlainCheckpointHook",
    "WeightOccludedKeypoints",
]
