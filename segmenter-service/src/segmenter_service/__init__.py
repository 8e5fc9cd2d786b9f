"""The outline of a tumor on slices and stacks of slices."""
