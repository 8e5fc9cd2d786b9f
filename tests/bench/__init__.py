"""CPU of NeuroGate's server processes against the raw engine's, beside two plain stacks. Run: `make bench`."""
