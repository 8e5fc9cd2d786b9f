"""What a model says of itself: `models/<name>/manifest.json`, read by every backend and by the gateway's model list."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service_kit.contracts.common import StageName
from service_kit.contracts.segmentation import BoundaryBand
from service_kit.errors import ModelInvalid
from service_kit.inference.preprocessing import Preprocessing
from service_kit.inference.volume import VolumePreprocessing

DType = Literal["UINT8", "INT64", "FP16", "FP32"]
VIEW_FEATURES = "view_features"
"""The input of a tumor model that a view model's output `features` feeds."""
# Tumor models published before `features_of` was there read the features of this one.
_DEFAULT_VIEW_MODEL = "view"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorSpec(_Frozen):
    """One input or output. `shape` holds sizes, with -1 for a dimension that may vary (the batch)."""

    name: str
    dtype: DType
    shape: tuple[int, ...]


class Calibration(_Frozen):
    """How raw scores become honest ones, fitted on patients neither trained nor tested on.

    `temperature` divides the logits. A label belongs to the prediction set when its calibrated probability is at
    least `thresholds[label]` (class-conditional split conformal prediction at the nominal `coverage`).
    """

    temperature: Annotated[float, Field(gt=0)]
    coverage: Annotated[float, Field(gt=0, lt=1)]
    thresholds: dict[str, float]


class Novelty(_Frozen):
    """How unlike its training pictures the model takes a picture to be: the output `output [N, 1]`, larger is stranger.

    Above `review_above` a reader must look; above `refuse_above` nothing is answered. `fitted_on` says whose slices the
    limits let pass.
    """

    output: str = "novelty"
    review_above: float
    refuse_above: float
    fitted_on: str

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.review_above <= self.refuse_above:
            raise ValueError("refuse_above must not be below review_above")
        return self


class Postprocessing(_Frozen):
    """From probabilities to a mask: `threshold` on the probability, then drop components under `min_component_px`
    (counted on the model's own grid).
    """

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    min_component_px: Annotated[int, Field(ge=0)] = 0


class ClinicalColumn(_Frozen):
    """One column of the clinical model's raw input: a number with its trained range, or a category with its codes.

    A missing value is NaN. `imputed` is what the fitted imputer puts there (a number, or a code).
    """

    name: str
    kind: Literal["number", "category"]
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    codes: dict[str, int] = {}
    imputed: float


class Training(_Frozen):
    """Where the weights come from: enough to train them again and to prove which patients were seen."""

    command: str
    seed: int
    config: dict[str, object]
    dataset: str
    groups_sha256: Sha256
    groups: dict[str, int]


class ModelManifest(_Frozen):
    """The contract of one published model.

    `features_of` names the view model whose features a tumor model reads, `variant_of` the model that this one was
    made of (the same weights in another precision), `provider` the execution provider that it is meant for, before
    the one of the settings. `clinical_by_default` is whether a clinical vector that was sent is read without being
    asked for: not, where evaluation found that it does not help. A picture model has `preprocessing`, a 3D one `volume`
    in its place: it reads `volume [N, sequences, p, p, p]` and `present [N, sequences]`; its labels are regions.
    `band` says how far a segmentation model's outlines of volumes may be off.

    Raises nothing by itself; `load` raises `ModelInvalid` naming the file and the field.
    """

    name: str
    version: str
    stage: StageName
    title: str
    architecture: str
    precision: Literal["fp32", "int8", "fp16"]
    file: str = "1/model.onnx"
    sha256: Sha256
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    fallback: dict[str, str] = {}
    features_of: str | None = None
    variant_of: str | None = None
    provider: str | None = None
    clinical_features: tuple[str, ...] = ()
    clinical_default: tuple[float, ...] = ()
    clinical_by_default: bool = True
    clinical_columns: tuple[ClinicalColumn, ...] = ()
    preprocessing: Preprocessing | None = None
    postprocessing: Postprocessing | None = None
    volume: VolumePreprocessing | None = None
    calibration: Calibration | None = None
    novelty: Novelty | None = None
    band: BoundaryBand | None = None
    training: Training

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.calibration and set(self.calibration.thresholds) != set(self.labels):
            raise ValueError("calibration.thresholds must name exactly the labels")
        if self.clinical_default and len(self.clinical_default) != len(self.clinical_features):
            raise ValueError("clinical_default must have one value for each of clinical_features")
        if self.novelty and self.novelty.output not in {spec.name for spec in self.outputs}:
            raise ValueError(f"novelty.output: the model has no output {self.novelty.output}")
        if self.stage != "clinical" and self.preprocessing is None and self.volume is None:
            raise ValueError("a picture model needs preprocessing")
        if self.volume and (self.preprocessing or {spec.name for spec in self.inputs} != {"volume", "present"}):
            raise ValueError("a 3D model reads volume and present, and no pictures")
        if self.features_of and self.view_model is None:
            raise ValueError(f"features_of is for a model with the input {VIEW_FEATURES}")
        if self.variant_of == self.name:
            raise ValueError("variant_of must name another model")
        return self

    @property
    def view_model(self) -> str | None:
        """The view model whose features this one reads; None where it reads none."""
        if all(spec.name != VIEW_FEATURES for spec in self.inputs):
            return None
        return self.features_of or _DEFAULT_VIEW_MODEL

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `folder/manifest.json` and check that the model file is the one it describes."""
        path = folder / "manifest.json"
        try:
            manifest = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ModelInvalid(f"{path}: no manifest here") from error
        except ValidationError as error:
            fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors())
            raise ModelInvalid(f"{path}: {fields}") from error
        model_file = folder / manifest.file
        if not model_file.is_file():
            raise ModelInvalid(f"{path}: the model file {manifest.file} is missing")
        found = sha256_of(model_file)
        if found != manifest.sha256:
            raise ModelInvalid(f"{model_file}: sha256 is {found}, the manifest says {manifest.sha256}")
        return manifest

    def dump(self, folder: Path) -> None:
        """Write `folder/manifest.json`."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
