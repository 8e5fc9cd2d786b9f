"""Synthetic sample pictures that belong to no patient."""
