"""What is segmented: the same slices in one or more sequences."""

from collections.abc import Mapping
from dataclasses import dataclass

from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest
from service_kit.inference.pixels import take_pixels
from service_kit.inference.preprocessing import Pixels
from service_kit.tensors import Envelope

SEQUENCES: tuple[Sequence, ...] = ("t1", "t1ce", "t2", "flair")
AXES = ("slices", "rows", "columns")


@dataclass(frozen=True, slots=True)
class SliceStack:
    """Pixels `[slices, rows, columns]` by sequence: at least one, all of one shape."""

    sequences: Mapping[Sequence, Pixels]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns) of every sequence."""
        slices, rows, columns = next(iter(self.sequences.values())).shape
        return slices, rows, columns


def read_stack(envelope: Envelope, *, max_slices: int) -> SliceStack:
    """The sequences among the arrays.

    Raises:
        InvalidRequest: none is there, their shapes differ, there are too many slices, or the pixels are not pixels.
    """
    found = {name: take_pixels(envelope, name, AXES) for name in SEQUENCES if name in envelope.arrays}
    if not found:
        raise InvalidRequest(f"no picture was sent: name each array by its sequence, one of {', '.join(SEQUENCES)}")
    if len({pixels.shape for pixels in found.values()}) > 1:
        shapes = ", ".join(f"{name} {list(pixels.shape)}" for name, pixels in found.items())
        raise InvalidRequest(f"the sequences must have one shape, on one grid; they have {shapes}")
    stack = SliceStack(found)
    if stack.shape[0] > max_slices:
        raise InvalidRequest(f"{stack.shape[0]} slices were sent, at most {max_slices} are taken at once")
    return stack
