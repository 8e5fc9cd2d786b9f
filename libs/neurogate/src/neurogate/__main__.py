"""`python -m neurogate`."""

from neurogate.cli import app

app()
