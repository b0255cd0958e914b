"""From a config and its checkpoint to one ONNX file that says of itself what it is."""
