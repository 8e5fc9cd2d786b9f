"""What every NeuroGate service shares."""
