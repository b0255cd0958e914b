"""Which weights are stored as float16, in ONNX files and in published checkpoints alike."""

MIN_ROUNDED = 16_384
"""Numbers of a weight from which on it is rounded. Smaller ones weigh little, and among them are
those of the first layers, whose rounding all others pass on."""
