"""Figures on patients that no model has seen, from the published ONNX files through onnxruntime."""
