"""What the points are for: functions of a picture and a garment in it, NumPy and OpenCV alone."""

from fashionkp_mm.applications.alignment import Alignment, align
from fashionkp_mm.applications.cropping import Crop, CropOptions, crop
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.prints import paste_print
from fashionkp_mm.applications.templates import Template, read_templates

__all__ = [
    "Alignment",
    "Crop",
    "CropOptions",
    "GarmentError",
    "Template",
    "align",
    "crop",
    "paste_print",
    "read_templates",
]
