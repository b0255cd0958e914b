"""From pictures to garments with an exported model: NumPy, OpenCV and ONNX Runtime, no torch.

predictor = FashionPredictor()  # the model that comes with the package, or FashionPredictor(FILE)
for garment in predictor.predict("picture.jpg"):
    print(garment.category, garment.keypoints)
"""

from fashionkp_mm.core.box_sources import BOX_SOURCES, BoxSource, Detections
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.garment import Garment, coco_categories
from fashionkp_mm.runtime.metadata import ModelFileError
from fashionkp_mm.runtime.predictor import FashionPredictor
from fashionkp_mm.runtime.shipped import NoModelError, shipped_model

__all__ = [
    "BOX_SOURCES",
    "BoxSource",
    "BrokenImageError",
    "Detections",
    "FashionPredictor",
    "Garment",
    "GarmentDetector",
    "ModelFileError",
    "NoModelError",
    "coco_categories",
    "shipped_model",
]
