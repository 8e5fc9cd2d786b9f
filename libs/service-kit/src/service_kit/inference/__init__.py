"""Models: their manifests, and the one port through which they are run."""
