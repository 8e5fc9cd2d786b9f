"""Audit of picture sets: broken files, copies, contradicting labels, leaking splits and shortcuts."""
