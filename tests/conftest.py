from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The repository's published models."""
    return Path(__file__).resolve().parents[1] / "models"
