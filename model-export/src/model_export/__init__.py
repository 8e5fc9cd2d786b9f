"""Trains NeuroGate's models, exports them to ONNX, checks and evaluates them. torch stays in here."""
