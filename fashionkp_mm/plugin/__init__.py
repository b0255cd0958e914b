"""What MMPose sees of FashionAI. Importing this package registers it all with MMPose.

In a config: ``custom_imports = dict(imports=['fashionkp_mm.plugin'])``.
"""

# Where the package is only on the path and not installed, nothing was patched at start.
import fashionkp_mm.compat.startup  # noqa: F401
from fashionkp_mm.plugin.augmentation import (
    GarmentBBoxTransform,
    GarmentHSVAug,
    RandomCropErasing,
    RandomCropPerspective,
    RandomWiderBBox,
)
from fashionkp_mm.plugin.checkpoint_hook import PlainCheckpointHook
from fashionkp_mm.plugin.codec import CentroidHeatmap
from fashionkp_mm.plugin.cpu_amp import CPUAmpOptimWrapper
from fashionkp_mm.plugin.dataset import FashionAIDataset
from fashionkp_mm.plugin.efficientnet_lite import EfficientNetLite
from fashionkp_mm.plugin.garment_head import GarmentHead
from fashionkp_mm.plugin.hooks import CheckImagesHook, KeepNormStatisticsHook, SyncAllBuffersHook
from fashionkp_mm.plugin.metric import NormalizedError
from fashionkp_mm.plugin.passes import PassesTestLoop
from fashionkp_mm.plugin.quick_steps import (
    GroupedDataPreprocessor,
    GroupedMomentumEMA,
    GroupedOptimWrapperConstructor,
)
from fashionkp_mm.plugin.recognition_metric import GarmentRecognition
from fashionkp_mm.plugin.shape_warp import RandomShapeWarp
from fashionkp_mm.plugin.sheet_hook import ContactSheetHook
from fashionkp_mm.plugin.time_budget import TimeBudgetLoop
from fashionkp_mm.plugin.top_down_neck import TopDownNeck
from fashionkp_mm.plugin.transforms import (
    GarmentFlip,
    LoadGarmentImage,
    WeightOccludedKeypoints,
)
from fashionkp_mm.plugin.visualizer import FashionVisualizer

__all__ = [
    "CPUAmpOptimWrapper",
    "CentroidHeatmap",
    "CheckImagesHook",
    "ContactSheetHook",
    "EfficientNetLite",
    "FashionAIDataset",
    "FashionVisualizer",
    "GarmentBBoxTransform",
    "GarmentFlip",
    "GarmentHSVAug",
    "GarmentHead",
    "GarmentRecognition",
    "GroupedDataPreprocessor",
    "GroupedMomentumEMA",
    "GroupedOptimWrapperConstructor",
    "KeepNormStatisticsHook",
    "LoadGarmentImage",
    "NormalizedError",
    "PassesTestLoop",
    "PlainCheckpointHook",
    "RandomCropErasing",
    "RandomCropPerspective",
    "RandomShapeWarp",
    "RandomWiderBBox",
    "SyncAllBuffersHook",
    "TimeBudgetLoop",
    "TopDownNeck",
    "WeightOccludedKeypoints",
]
