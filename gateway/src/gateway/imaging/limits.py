"""How large and how small a picture may be, checked on headers before pixels are decoded."""

from dataclasses import dataclass

from gateway.imaging.errors import PictureTooLarge, PictureTooSmall
from service_kit.errors import Measurement


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What is accepted. `min_longer_side_px` and `min_shorter_side_px` differ because real matrices are oblong."""

    max_file_bytes: int = 64 * 2**20
    max_parts: int = 4
    max_pixels: int = 4096 * 4096
    max_side_px: int = 16_384
    min_longer_side_px: int = 32
    min_shorter_side_px: int = 16

    def _shortfall(self, longer_px: int, shorter_px: int) -> Measurement:
        if longer_px < self.min_longer_side_px:
            return Measurement("longer_side_px", longer_px, self.min_longer_side_px)
        return Measurement("shorter_side_px", shorter_px, self.min_shorter_side_px)

    def check_size(self, rows: int, columns: int) -> None:
        """Raises `PictureTooLarge` or `PictureTooSmall`, naming the size and the limit."""
        longer, shorter = max(rows, columns), min(rows, columns)
        if longer < self.min_longer_side_px or shorter < self.min_shorter_side_px:
            raise PictureTooSmall(
                f"The picture is {rows} x {columns} pixels (rows x columns); at least {self.min_longer_side_px} on the "
                f"longer side and {self.min_shorter_side_px} on the shorter are needed.",
                measurement=self._shortfall(longer, shorter),
            )
        if rows * columns > self.max_pixels or longer > self.max_side_px:
            raise PictureTooLarge(
                f"The header says {rows} x {columns} pixels (rows x columns); at most {self.max_pixels} in all and "
                f"{self.max_side_px} a side are accepted. Send one slice in its own resolution."
            )
