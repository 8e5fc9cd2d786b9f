"""What the terminal shows says what the analysis says."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from neurogate.display import analysis_panel, models_table
from neurogate.following import Progress
from neurogate.progress_display import ProgressDisplay

ANALYSIS: dict[str, Any] = {
    "id": "a1",
    "state": "succeeded",
    "verdict": "review",
    "reasons": [{"code": "low_confidence", "detail": "two types are likely"}],
    "input": {"format": "png", "rows": 256, "columns": 200, "spacing_mm": [0.5, 0.5]},
    "view": {"label": "axial", "probabilities": {"axial": 0.97, "coronal": 0.02, "sagittal": 0.01}, "source": "model"},
    "tumor": {
        "label": "glioma",
        "probabilities": {"glioma": 0.61, "meningioma": 0.37, "no_tumor": 0.01, "pituitary": 0.01},
        "prediction_set": ["glioma", "meningioma"],
        "coverage": 0.95,
        "warnings": ["There is no heat map."],
    },
    "clinical": {"features": {"age": 0.4}, "imputed": ["race"]},
    "segmentation": {
        "area_px": 400,
        "area_mm2": 100.0,
        "longest_diameter_mm": 14.2,
        "perpendicular_diameter_mm": 9.8,
    },
    "models": [{"name": "view", "version": "1", "provider": "CPUExecutionProvider"}],
    "timings_ms": {"total": 31.4},
    "links": {},
    "disclaimer": "Research use only. Not a medical device.",
}


def render(analysis: dict[str, Any], files: list[Path] | None = None) -> str:
    console = Console(width=140, record=True, force_terminal=False)
    console.print(analysis_panel("slice.png", analysis, files or []))
    return console.export_text()


def test_shows_verdict_reason_set_measures_and_disclaimer() -> None:
    text = render(ANALYSIS, [Path("out/slice/analysis.json")])
    for words in (
        "REVIEW",
        "two types are likely (low_confidence)",
        "axial (97.0%, from model)",
        "glioma (61.0%)",
        "glioma, meningioma",
        "100 mm2, 14 x 10 mm",
        "race",
        "out/slice/",
        "There is no heat map.",
        "Not a medical device",
    ):
        assert words in text


def test_a_picture_without_spacing_has_no_millimeters() -> None:
    unscaled = ANALYSIS["segmentation"] | {"area_mm2": None}
    text = render(ANALYSIS | {"segmentation": unscaled, "input": ANALYSIS["input"] | {"spacing_mm": None}})
    assert "400 px (no spacing" in text
    assert "mm2" not in text


def test_partial_answers_are_shown() -> None:
    text = render(ANALYSIS | {"segmentation": None, "clinical": None})
    assert "outline" not in text
    assert "imputed" not in text


def test_models_table_shows_the_provider_in_use_and_the_defaults() -> None:
    row = {"stage": "view", "version": "1", "precision": "fp32", "backend": "onnxruntime", "sha256": "ab" * 32}
    console = Console(width=140, record=True)
    default = row | {"name": "view", "provider": "CPUExecutionProvider", "default": True}
    other = row | {"name": "view-vgg16", "provider": "not loaded", "default": False}
    console.print(models_table([default, other]))
    lines = {line.split()[1]: line for line in console.export_text().splitlines() if "abababababab" in line}
    assert "view *" in lines["view"]
    assert "CPUExecutionProvider" in lines["view"]
    assert "*" not in lines["view-vgg16"]
    assert "not loaded" in lines["view-vgg16"]


def told(*steps: Progress, terminal: bool) -> str:
    console = Console(width=100, record=True, force_terminal=terminal, file=io.StringIO())
    with ProgressDisplay(console) as display:
        display.sending("case [1]")
        for step in steps:
            display.show("case [1]", step)
        if not terminal:  # a bar that is done leaves nothing behind
            display.done("case [1]")
    return console.export_text()


def test_without_a_terminal_progress_is_a_few_plain_lines() -> None:
    steps = [Progress("running", "segmentation", done, 1000) for done in range(1001)]
    lines = told(*steps, Progress("succeeded", "segmentation", 4, 4), terminal=False).splitlines()
    assert lines[0] == "case [1]: sending"
    assert lines[1] == "case [1]: segmentation 0/1000"
    assert lines[-1] == "case [1]: succeeded"
    assert len(lines) < 15


def test_in_a_terminal_progress_is_a_bar() -> None:
    text = told(Progress("running", "segmentation", 3, 8), terminal=True)
    assert "case [1]: segmentation" in text
    assert "3/8" in text


def test_a_volume_shows_milliliters_with_their_interval_labels_and_side() -> None:
    volume = {
        "voxels": 20000,
        "volume_ml": 20.0,
        "volume_ml_interval": {"low": 18.5, "high": 21.5, "coverage": 0.9},
        "labels": {"edema": {"voxels": 15000, "volume_ml": 15.0}},
        "lesions": [{"longest_diameter_mm": 30.0, "perpendicular_diameter_mm": 20.0}],
        "longest_diameter_mm_interval": None,
        "perpendicular_diameter_mm_interval": None,
        "side": None,
        "lesion_count": 2,
        "sum_of_products_mm2": 600.0,
    }
    outline = ANALYSIS["segmentation"] | {"volume": volume}
    scan = ANALYSIS["input"] | {
        "kind": "volume",
        "format": "nifti",
        "sequences": ["t1", "flair"],
        "warnings": ["A volume was taken as flair from its file's name."],
        "geometry": {"shape": [240, 240, 155], "spacing_mm": [1.0, 1.0, 1.2]},
    }
    text = render(ANALYSIS | {"segmentation": outline, "input": scan})
    for words in (
        "20.0 (18.5 to 21.5, 90%) ml",
        "edema",
        "15.0 ml",
        "30.0 mm",
        "does not say left and right",
        "2, sum of products 600 mm2",
        "t1, flair: 240 x 240 x 155 voxels, 1 x 1 x 1.2 mm",
        "taken as flair",
    ):
        assert words in text
    empty = render(ANALYSIS | {"segmentation": outline | {"volume": volume | {"voxels": 0}}})
    assert "nothing outlined" in empty
