"""Further verbs of the command line, one a file."""
