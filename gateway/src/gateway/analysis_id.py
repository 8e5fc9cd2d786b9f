"""Ids that sort by time: UUID version 7 (RFC 9562), so that the newest analyses are the last of an ordered set."""

import os
import re
import time

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_analysis_id() -> str:
    """A fresh id: 48 bits of Unix milliseconds, 74 random bits."""
    random = int.from_bytes(os.urandom(10))
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return _dashed(f"{number:032x}")


def is_analysis_id(text: str) -> bool:
    """Whether `new_analysis_id` could have made it."""
    return _ID.fullmatch(text) is not None


def earliest_id(unix_ms: int) -> str:
    """A text that sorts before every id made at `unix_ms` or later, and after every earlier one."""
    return _dashed(f"{max(unix_ms, 0):012x}" + "0" * 20)


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
