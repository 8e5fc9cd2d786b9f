"""Kills workers, gateways and Redis while jobs run, and counts what became of them: `python -m tests.kill --help`."""
