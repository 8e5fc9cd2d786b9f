"""What came of quantizing a model, and the file that keeps it."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from model_export.quantization.judgement import Judgement
from model_export.quantization.recipe import QuantizationRecipe
from service_kit.contracts.common import StageName

LEAST_RATIO = 1.2
"""What a variant must save to be worth a second file."""


class Race(BaseModel):
    """One contender's time beside the first one's; see `quantization.timing.Timing`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    cpu_ms: float
    ratio: float
    low: float
    high: float
    rounds: int
    difference: float
    provider: str


class Races(BaseModel):
    """All contenders of one run, the first of them the measure of the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    onnxruntime: str
    package_bytes: int
    cpu: str
    timings: tuple[Race, ...]


class VariantResult(BaseModel):
    """One variant: what it was made of, what it loses and saves, and whether it is published.

    `held_out` judges fold 0's network, which never saw the slices it is judged on; `published` the weights that are
    published, on the same slices. Where they were trained on these (`published_saw_test`), both of its figures are
    kind, and only the loss counts.
    `features` is the tumor model's accuracy on the features of a view model, `novelty_refused` the share of held-out
    slices that the published view model's novelty limit refuses, for fp32 and variant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    variant_of: str
    stage: StageName
    precision: str = "int8"
    source_sha256: str
    held_out_sha256: str
    sha256: str
    bytes_fp32: int
    bytes_variant: int
    recipe: QuantizationRecipe
    calibration_pictures: int
    calibration_groups: int
    held_out: Judgement
    published: Judgement
    published_saw_test: bool
    features: Judgement | None = None
    novelty_refused: tuple[float, float] | None = None
    races: Races
    openvino: Races | None = None
    reasons: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """CPU time of fp32 by that of the variant."""
        return self.races.timings[-1].ratio

    @property
    def is_published(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


class VariantResults(BaseModel):
    """All variants that were tried, published or not: `docs/evaluation/variants.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variants: tuple[VariantResult, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "VariantResults":
        """Read the file; empty where there is none."""
        return cls.model_validate_json(path.read_bytes()) if path.exists() else cls()

    def find(self, variant_of: str) -> VariantResult | None:
        """What was found for a model, None where it was never tried."""
        return next((each for each in self.variants if each.variant_of == variant_of), None)

    def with_result(self, result: VariantResult) -> "VariantResults":
        """The same with one result added or replaced, in alphabetical order."""
        others = [each for each in self.variants if each.variant_of != result.variant_of]
        return VariantResults(variants=tuple(sorted([*others, result], key=lambda each: each.name)))

    def dump(self, path: Path) -> None:
        """Write the file, figures to four digits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_rounded(self.model_dump(mode="json")), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def objections(result: VariantResult) -> tuple[str, ...]:
    """Why a variant is not published; nothing where it is."""
    found = []
    judged = {"held-out slices": result.held_out, "the published weights": result.published}
    if result.features is not None:
        judged["the tumor model that reads its features"] = result.features
    for on, judgement in judged.items():
        if not judgement.passed:
            found.append(f"loses {judgement.loss.value:.4f} {judgement.metric} on {on}; allowed is {judgement.limit}")
    if result.novelty_refused is not None:
        fp32, variant = result.novelty_refused
        if variant - fp32 > result.held_out.limit:
            found.append(f"refuses {variant:.4f} of the held-out slices as strange, fp32 {fp32:.4f}")
    if result.ratio < LEAST_RATIO:
        found.append(f"saves too little: {result.ratio:.2f} times as fast, wanted is {LEAST_RATIO}")
    return tuple(found)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value
