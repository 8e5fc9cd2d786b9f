"""What others trained, brought into the model repository: Keras and PyTorch networks as ONNX, checked and described."""
