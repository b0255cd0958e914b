"""What the points are for: functions of a picture and a garment in it, NumPy and OpenCV alone."""

from fashionkp_mm.applications.alignment import Alignment, align
from fashionkp_mm.applications.colors import DominantColor, dominant_colors
from fashionkp_mm.applications.cropping import Crop, CropOptions, crop
from fashionkp_mm.applications.descriptors import shape_descriptors
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.marker import Marker, MarkerError, scale_of_marker
from fashionkp_mm.applications.masks import Mask, garment_mask
from fashionkp_mm.applications.measurement import Measurement, Measurements, measure
from fashionkp_mm.applications.pose_errors import EXACT, PoseErrors, errors_of_model
from fashionkp_mm.applications.presentation import Presented, PresentOptions, present
from fashionkp_mm.applications.presets import Preset, broken_rules, preset_of
from fashionkp_mm.applications.prints import paste_print
from fashionkp_mm.applications.scale import KnownLength, Scale, ScaleError
from fashionkp_mm.applications.templates import Template, read_templates

__all__ = [
    "EXACT",
    "Alignment",
    "Crop",
    "CropOptions",
    "DominantColor",
    "GarmentError",
    "KnownLength",
    "Marker",
    "MarkerError",
    "Mask",
    "Measurement",
    "Measurements",
    "PoseErrors",
    "PresentOptions",
    "Presented",
    "Preset",
    "Scale",
    "ScaleError",
    "Template",
    "align",
    "broken_rules",
    "crop",
    "dominant_colors",
    "errors_of_model",
    "garment_mask",
    "measure",
    "paste_print",
    "present",
    "preset_of",
    "read_templates",
    "scale_of_marker",
    "shape_descriptors",
]
