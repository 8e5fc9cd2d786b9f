from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.imaging.voxels import in_c_order
from tests.unit.gateway_volumes import phantoms

VOXELS = np.ascontiguousarray(phantoms.texture((20, 18, 16)))


@pytest.mark.parametrize(
    "values",
    [np.asfortranarray(VOXELS), np.asfortranarray(VOXELS)[::-1, ::-1], VOXELS.transpose(2, 0, 1), VOXELS[::2]],
    ids=["F", "reversed", "turned", "every second"],
)
def test_any_order_becomes_c_order_with_the_same_values(values: NDArray[Any]) -> None:
    turned = in_c_order(values)
    assert turned.flags.c_contiguous
    assert turned.dtype == values.dtype
    np.testing.assert_array_equal(turned, values)


def test_what_is_in_order_is_not_copied() -> None:
    assert in_c_order(VOXELS) is VOXELS
