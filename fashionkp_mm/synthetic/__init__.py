"""Garments drawn by program, with exact labels: the data that everybody may use and publish."""

from fashionkp_mm.synthetic.dataset import write_dataset
from fashionkp_mm.synthetic.drawing import SyntheticGarment, synthesize_garment

__all__ = ["SyntheticGarment", "synthesize_garment", "write_dataset"]
