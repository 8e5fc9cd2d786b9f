"""Clinical records to the vector that a model reads."""
