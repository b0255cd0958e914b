"""What the points are for: functions of a picture and a garment in it, NumPy and OpenCV alone."""

from fashionkp_mm.applications.cropping import Crop, CropOptions, crop
from fashionkp_mm.applications.errors import GarmentError

__all__ = ["Crop", "CropOptions", "GarmentError", "crop"]
