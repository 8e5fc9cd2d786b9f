"""From a trained network to one ONNX file, and the Triton configuration beside it."""
