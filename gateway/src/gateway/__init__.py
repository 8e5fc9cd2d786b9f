"""The one REST API of NeuroGate."""
