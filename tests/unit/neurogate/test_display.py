"""What the terminal shows says what the analysis says."""

from pathlib import Path
from typing import Any

from rich.console import Console

from neurogate.display import analysis_panel, models_table

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
