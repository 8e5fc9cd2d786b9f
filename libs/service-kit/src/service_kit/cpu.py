"""How much CPU this program may use (a container's quota is not in `os.cpu_count`), and what the CPU is able to."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_CPUINFO = Path("/proc/cpuinfo")
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


def cpu_quota(cgroup: Path = _CGROUP) -> int:
    """Whole cores that may be used at the same time: the affinity mask or the cgroup's quota, whichever is less."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def overflows_int8(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether this is an x86 CPU that adds the products of 8-bit integers in 16 bits, which overflow: one without VNNI.

    False where the file does not say (only x86 lists `flags`).
    """
    for line in _read(cpuinfo).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "flags":
            return not _VNNI & set(value.split())
    return False


def _quota(cgroup: Path) -> float | None:
    """Cores that the cgroup grants (version 2, then version 1); None without a limit."""
    words = _read(cgroup / "cpu.max").split()
    if len(words) == 2:
        return None if words[0] == "max" else int(words[0]) / int(words[1])
    quota, period = _read(cgroup / "cpu" / "cpu.cfs_quota_us"), _read(cgroup / "cpu" / "cpu.cfs_period_us")
    if not quota or not period or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
