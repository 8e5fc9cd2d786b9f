"""Bytes in, a `Study` out: every file format is known here and nowhere else."""
