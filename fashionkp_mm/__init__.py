"""Apparel keypoints for MMPose: the Alibaba FashionAI data, its score, its models.

Importing this package is cheap and pulls in neither torch nor MMPose. ``fashionkp_mm.core`` knows
garments, ``fashionkp_mm.plugin`` registers everything with MMPose when it is imported.
"""

__version__ = "0.2.0"
