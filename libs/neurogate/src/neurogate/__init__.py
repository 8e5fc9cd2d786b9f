"""NeuroGate in one command: every service in one process, on an embedded Redis."""
