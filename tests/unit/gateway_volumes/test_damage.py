"""Whatever happens to a file on its way, the answer is a study or a refusal with a reason: nothing else, and soon."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.imaging.decode import decode_input
from gateway.imaging.part import Part
from gateway.imaging.study import Study
from gateway.imaging.volume import VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.errors import InvalidRequest
from tests.unit.gateway_volumes import archives, phantoms
from tests.unit.gateway_volumes.dicom_series import enhanced, series

VOXELS = phantoms.texture((34, 33, 4))
FILES: dict[str, Callable[[], list[bytes]]] = {
    "nifti": lambda: [phantoms.nifti(VOXELS)],
    "nifti.gz": lambda: [phantoms.zipped(phantoms.nifti(VOXELS))],
    "series": lambda: series(VOXELS),
    "enhanced": lambda: [enhanced(VOXELS)],
    "zip": lambda: [archives.zip_of({f"{n}.dcm": content for n, content in enumerate(series(VOXELS))})],
}
LIMITS = VolumeLimits(max_inflated_bytes=2**24, max_voxels=2**20)


def damaged(content: bytes, seed: int, changes: int, cut: float, *, header_only: bool) -> bytes:
    random = np.random.default_rng(seed)
    broken = bytearray(content)
    end = min(len(broken), 2500) if header_only else len(broken)
    for place in random.integers(0, end, changes):
        broken[place] = random.integers(0, 256)
    return bytes(broken[: max(1, int(len(broken) * cut))])


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    changes=st.integers(0, 40),
    cut=st.one_of(st.just(1.0), st.floats(0, 1)),
    header_only=st.booleans(),
)
@example(seed=204, changes=37, cut=1.0, header_only=True)  # infinities of both signs
def test_damage(kind: str, seed: int, changes: int, cut: float, header_only: bool) -> None:
    contents = FILES[kind]()
    victim = seed % len(contents)
    contents[victim] = damaged(contents[victim], seed, changes, cut, header_only=header_only)
    found = outcome(contents)
    if isinstance(found, InvalidRequest):
        assert len(found.detail) > 20
        return
    assert isinstance(found, Study | VolumeStudy)
    if isinstance(found, VolumeStudy):
        assert np.isfinite(found.primary.voxels).all()
        assert np.isfinite(found.grid.affine).all()


def outcome(contents: list[bytes]) -> Study | VolumeStudy | InvalidRequest:
    try:
        return decode_input([Part("file", "x", content) for content in contents], volume_limits=LIMITS)
    except InvalidRequest as error:
        return error
