"""What the points are for: functions of a picture and a garment in it, NumPy and OpenCV alone."""

from fashionkp_mm.applications.alignment import Alignment, align
from fashionkp_mm.applications.cropping import Crop, CropOptions, crop
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.marker import Marker, MarkerError, scale_of_marker
from fashionkp_mm.applications.measurement import Measurement, Measurements, measure
from fashionkp_mm.applications.pose_errors import EXACT, PoseErrors, errors_of_model
from fashionkp_mm.applications.prints import paste_print
from fashionkp_mm.applications.scale import KnownLength, Scale, ScaleError
from fashionkp_mm.applications.templates import Template, read_templates

__all__ = [
    "EXACT",
    "Alignment",
    "Crop",
    "CropOptions",
    "GarmentError",
    "KnownLength",
    "Marker",
    "MarkerError",
    "Measurement",
    "Measurements",
    "PoseErrors",
    "Scale",
    "ScaleError",
    "Template",
    "align",
    "crop",
    "errors_of_model",
    "measure",
    "paste_print",
    "read_templates",
    "scale_of_marker",
]
