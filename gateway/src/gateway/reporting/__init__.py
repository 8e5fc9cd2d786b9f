"""Findings in, files out: measures, pictures, the report. Pure functions."""
