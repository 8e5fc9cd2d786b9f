import os
from pathlib import Path

import pytest

from service_kit.cpu import cpu_quota, overflows_int8

ALLOWED = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ALLOWED),
        ({"cpu.max": "max 100000"}, ALLOWED),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": f"{ALLOWED * 100_000 - 1} 100000"}, ALLOWED),
        ({"cpu.max": "6400000 100000"}, ALLOWED),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, ALLOWED),
        ({"cpu/cpu.cfs_quota_us": "25000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_quota_is_the_least_of_what_is_allowed(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    assert cpu_quota(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n", False),
        ("flags\t\t: fpu avx2 avx_vnni\n", False),
        ("flags\t\t: fpu avx2 avx512f\n", True),
        ("processor\t: 0\nFeatures\t: asimd asimddp\n", False),
        ("", False),
    ],
)
def test_only_x86_without_vnni_overflows(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert overflows_int8(tmp_path / "cpuinfo") is expected


def test_cpu_that_says_nothing_does_not_overflow(tmp_path: Path) -> None:
    assert not overflows_int8(tmp_path / "absent")
