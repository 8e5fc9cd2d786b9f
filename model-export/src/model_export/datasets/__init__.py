"""Readers of the development sets (read through a path, never copied), and the split that keeps patients apart."""
