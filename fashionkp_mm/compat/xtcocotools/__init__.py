"""Stands in for ``xtcocotools``, MMPose's fork of pycocotools, where it is not installed.

Why it is needed: the last xtcocotools (1.14.3) has wheels up to Python 3.11, built for NumPy 1, and
its source needs Cython and a compiler. pycocotools is maintained and has wheels for every Python.
``coco``, ``cocoeval`` and ``mask`` below are pycocotools with what MMPose's metrics ask for on top.

It can go when mmpose imports pycocotools, or xtcocotools publishes wheels for NumPy 2.
"""
