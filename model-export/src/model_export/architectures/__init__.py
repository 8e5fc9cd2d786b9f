"""The networks, one file each. torch stays below `model_export`."""
