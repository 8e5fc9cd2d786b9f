"""Where the published models, the samples and (maybe) the development sets are."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def models() -> Path:
    return ROOT / "models"


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "samples"


@pytest.fixture(scope="session")
def sets() -> Path:
    """The development sets: `NEUROGATE_DATA`, or `../shared/data` beside the repository."""
    path = Path(os.environ.get("NEUROGATE_DATA", ROOT.parent / "shared" / "data"))
    if not (path / "t1_slices" / "index.csv").is_file():
        pytest.skip("the development sets are not here (set NEUROGATE_DATA); see docs/data.md")
    return path
