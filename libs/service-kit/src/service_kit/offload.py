"""Where pixels are worked on: beside the event loop when it takes long, on it when a hop would cost more."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

INLINE_PX = 512 * 512
"""Up to here, bringing one picture to a model's grid or back takes under a millisecond; a thread hop takes 0.1 ms."""


async def on_pixels(pictures: int, each_px: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do `work` on pictures of `each_px` pixels without keeping the event loop from other requests for long."""
    if pictures == 1 and each_px <= INLINE_PX:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
