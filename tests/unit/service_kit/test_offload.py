import threading

import pytest

from service_kit.offload import INLINE_PX, on_pixels


@pytest.mark.parametrize(
    ("pictures", "each_px", "stays"), [(1, INLINE_PX, True), (1, INLINE_PX + 1, False), (2, 1, False), (0, 1, False)]
)
async def test_one_small_picture_stays_on_the_loop(pictures: int, each_px: int, stays: bool) -> None:
    found = await on_pixels(pictures, each_px, threading.current_thread)
    assert (found is threading.current_thread()) == stays


async def test_arguments_answers_and_errors_are_passed_on() -> None:
    for each_px in (1, INLINE_PX + 1):
        assert await on_pixels(1, each_px, int, "ff", base=16) == 255
        with pytest.raises(ValueError, match="invalid literal"):
            await on_pixels(1, each_px, int, "x")
