import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.imaging.decode import decode_study
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging.bad_inputs import BAD_INPUTS

ROOT = Path(__file__).parents[3]
BOMBS = ("png bomb", "jpeg bomb", "webp bomb", "bmp bomb", "tiff bomb", "deflated dicom bomb", "dicom bomb")
PEAK = """
import json, resource, sys
from gateway.imaging.decode import decode_study
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging.bad_inputs import BAD_INPUTS
from pathlib import Path
parts = BAD_INPUTS[sys.argv[1]].parts()
Path("/proc/self/clear_refs").write_text("5")
def peak_kib():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
before = peak_kib()
try:
    decode_study(parts)
except ServiceError as error:
    print(json.dumps({"code": error.code, "grown_kib": peak_kib() - before}))
"""


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_refused_with_its_code_and_a_reason(name: str) -> None:
    bad = BAD_INPUTS[name]
    with pytest.raises(ServiceError) as caught:
        decode_study(bad.parts())
    assert (caught.value.status, caught.value.code) == (bad.status, bad.code), caught.value.detail
    assert len(caught.value.detail) > 20
    assert not any(part.filename in caught.value.detail for part in bad.parts())


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little_memory(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PEAK, name], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    answer = json.loads(run.stdout)
    assert answer["code"] == "picture_too_large"
    assert answer["grown_kib"] < 24 * 1024
