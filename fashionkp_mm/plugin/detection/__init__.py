"""What MMDetection sees of FashionAI. Importing this package registers it all with MMDetection.

In a config: ``custom_imports = dict(imports=['fashionkp_mm.plugin.detection'])`` and
``default_scope = 'mmdet'``.
"""

from fashionkp_mm.plugin.detection.best_box_metric import BestBoxOverlap
from fashionkp_mm.plugin.detection.dataset import FashionAIDetDataset
from fashionkp_mm.plugin.detection.head import GarmentRTMDetHead

__all__ = ["BestBoxOverlap", "FashionAIDetDataset", "GarmentRTMDetHead"]
