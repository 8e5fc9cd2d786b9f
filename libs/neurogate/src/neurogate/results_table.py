"""The CSV of a batch: one study a line, written as results come."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from neurogate.refused import problem_text

COLUMNS: Final = (
    "study", "state", "verdict", "reasons", "view", "tumor", "p_glioma", "p_meningioma", "p_no_tumor", "p_pituitary",
    "prediction_set", "volume_ml", "volume_ml_low", "volume_ml_high", "volume_coverage", "labels_ml", "area_mm2",
    "longest_diameter_mm", "longest_diameter_mm_low", "longest_diameter_mm_high", "perpendicular_diameter_mm",
    "perpendicular_diameter_mm_low", "perpendicular_diameter_mm_high", "sum_of_products_mm2", "lesions", "side",
    "sequences", "models", "seconds", "analysis_id", "problem",
)  # fmt: skip
_LABELS: Final = ("glioma", "meningioma", "no_tumor", "pituitary")


def result_row(study: str, analysis: Mapping[str, Any]) -> str:
    """The line of an analysis that is finished, in whatever way."""
    view, tumor, scan = analysis["view"], analysis["tumor"], analysis["input"]
    timings, problem = analysis["timings_ms"], analysis["problem"]
    cells: dict[str, object] = {
        "state": analysis["state"],
        "verdict": analysis["verdict"],
        "reasons": " ".join(reason["code"] for reason in analysis["reasons"]),
        "view": view and view["label"],
        "tumor": tumor and tumor["label"],
        "prediction_set": " ".join(tumor["prediction_set"]) if tumor else None,
        **({f"p_{label}": tumor["probabilities"].get(label) for label in _LABELS} if tumor else {}),
        **(_outline(analysis["segmentation"]) if analysis["segmentation"] else {}),
        "sequences": " ".join(scan["sequences"]) if scan else None,
        "models": " ".join(f"{model['stage']}={model['name']}:{model['version']}" for model in analysis["models"]),
        "seconds": timings and timings["total"] / 1000,
        "analysis_id": analysis["id"],
        "problem": problem and problem_text(problem),
    }
    return _line(study, cells)


def failure_row(study: str, problem: str) -> str:
    """The line of a study that became no analysis."""
    return _line(study, {"state": "refused", "problem": problem})


def _outline(segmentation: Mapping[str, Any]) -> dict[str, object]:
    volume = segmentation.get("volume") or {}
    labels = volume.get("labels") or {}
    cells: dict[str, object] = {
        "area_mm2": segmentation["area_mm2"],
        "volume_ml": volume.get("volume_ml", segmentation["volume_ml"]),
        "volume_coverage": (volume.get("volume_ml_interval") or {}).get("coverage"),
        "labels_ml": " ".join(f"{name}={label['volume_ml']:.6g}" for name, label in labels.items()),
        "sum_of_products_mm2": volume.get("sum_of_products_mm2"),
        "lesions": volume.get("lesion_count"),
        "side": volume.get("side"),
    }
    for name in ("longest_diameter_mm", "perpendicular_diameter_mm"):
        cells[name] = segmentation[name]
    for name in ("volume_ml", "longest_diameter_mm", "perpendicular_diameter_mm"):
        interval = volume.get(f"{name}_interval") or {}
        cells[f"{name}_low"], cells[f"{name}_high"] = interval.get("low"), interval.get("high")
    return cells


def _line(study: str, cells: Mapping[str, object]) -> str:
    """Without a line break inside: a line that was cut short is then seen as such."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        " ".join(_cell(value).split()) for value in (study, *(cells.get(column) for column in COLUMNS[1:]))
    )
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class ResultsTable:
    """The file. The journal has every row too, so that it can be written anew at each start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def begin(self, rows: Iterable[str]) -> None:
        """Write the header and the rows that there are, whole or not at all; then it is open for more."""
        self.close()
        unfinished = self.path.with_name(f".{self.path.name}.part")
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(COLUMNS) + "\n")
            file.writelines(rows)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)

    def append(self, row: str) -> None:
        """One line, in one write."""
        if self._file is None:
            raise ValueError("the table is not open")
        os.write(self._file, row.encode())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
