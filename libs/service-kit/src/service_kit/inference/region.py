"""A region of the head's box, and a place in it turned the way that textbooks show a slice."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service_kit.contracts.classification import ViewLabel
from service_kit.inference.agreement import Place

Share = Annotated[float, Field(ge=0, le=1)]
Direction = tuple[float, float, float]

# (down, right) of a slice as it is shown, in the patient's axes (left, posterior, superior).
_SHOWN: dict[ViewLabel, tuple[Direction, Direction]] = {
    "axial": ((0, 1, 0), (1, 0, 0)),
    "coronal": ((0, 0, -1), (1, 0, 0)),
    "sagittal": ((0, 0, -1), (0, 1, 0)),
}


class Region(BaseModel):
    """A box in shares of the head's box (0 is its top or left edge), on a slice shown as textbooks do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top: Share
    bottom: Share
    left: Share
    right: Share

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.top >= self.bottom or self.left >= self.right:
            raise ValueError("top must be above bottom, and left be left of right")
        return self

    def holds(self, place: Place) -> bool:
        """Whether `place` (row, column) lies in the region or on its border."""
        row, column = place
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def mirrored(self) -> Self:
        """The smallest region that holds this one and its mirror images, left to right and upside down."""
        down = max(abs(self.top - 0.5), abs(self.bottom - 0.5))
        right = max(abs(self.left - 0.5), abs(self.right - 0.5))
        return type(self)(top=0.5 - down, bottom=0.5 + down, left=0.5 - right, right=0.5 + right)


def shown(place: Place, view: ViewLabel, orientation: tuple[float, ...]) -> Place:
    """`place` on a picture with this `orientation` (six cosines), as it is on a slice of `view` shown as usual.

    The nearest quarter turn or mirror image is taken: a tilt of the head changes nothing.
    """
    along_columns, along_rows = orientation[:3], orientation[3:]
    row, column = place[0] - 0.5, place[1] - 0.5
    down, right = _SHOWN[view]
    return 0.5 + _component(down, row, along_rows, column, along_columns), (
        0.5 + _component(right, row, along_rows, column, along_columns)
    )


def _component(
    axis: Direction, row: float, along_rows: tuple[float, ...], column: float, along_columns: tuple[float, ...]
) -> float:
    by_row, by_column = _dot(axis, along_rows), _dot(axis, along_columns)
    if abs(by_row) >= abs(by_column):
        return row if by_row >= 0 else -row
    return column if by_column >= 0 else -column


def _dot(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
