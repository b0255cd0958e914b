"""From pictures to garments with an exported model: NumPy, OpenCV and ONNX Runtime, no torch.

predictor = FashionPredictor()  # the model that comes with the package, or FashionPredictor(FILE)
prediction = predictor.predict("picture.jpg")
prediction.draw("drawn.jpg")
for garment in prediction:
    print(garment.category, garment.points)
"""

from fashionkp_mm.core.box_sources import BOX_SOURCES, BoxSource, Detections
from fashionkp_mm.exchange.coco import coco_categories
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.devices import DeviceError
from fashionkp_mm.runtime.garment import Garment, Keypoint
from fashionkp_mm.runtime.metadata import ModelFileError
from fashionkp_mm.runtime.prediction import Prediction
from fashionkp_mm.runtime.predictor import FashionPredictor
from fashionkp_mm.runtime.shipped import NoModelError, shipped_model

__all__ = [
    "BOX_SOURCES",
    "BoxSource",
    "BrokenImageError",
    "Detections",
    "DeviceError",
    "FashionPredictor",
    "Garment",
    "GarmentDetector",
    "Keypoint",
    "ModelFileError",
    "NoModelError",
    "Prediction",
    "coco_categories",
    "shipped_model",
]
