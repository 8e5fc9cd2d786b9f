"""Where pixels are worked on: beside the event loop when it takes long, on it when a hop would cost more."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

INLINE_PX = 512 * 512
"""Up to here, placing and windowing a picture takes under a millisecond of one core; a thread hop takes 0.1 ms."""


async def on_pixels(count_px: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work` on `count_px` pixels without keeping the event loop from other requests for long."""
    if count_px <= INLINE_PX:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
