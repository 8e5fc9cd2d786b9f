"""A model's 8-bit variant: quantize fold 0's network and judge it, then the published one by the same recipe."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import model_export
from model_export.engine import OnnxModel
from model_export.quantization.graph import quantize_graph
from model_export.quantization.ground import Ground, ground_for
from model_export.quantization.judgement import Judgement, compare_answers, judge
from model_export.quantization.recipe import RECIPES, QuantizationRecipe
from model_export.quantization.result import Race, Races, VariantResult, objections
from model_export.quantization.timing import cpu_name, open_session, package_bytes, race
from service_kit.inference.manifest import VIEW_FEATURES, ModelManifest, sha256_of

SUFFIX = "-int8"
_ROUNDS = 200
_BATCH = 16
Report = Callable[[str], None]
GroundOf = Callable[[ModelManifest, Path], Ground]


@dataclass(frozen=True)
class Places:
    """`root`: the development sets; `cache`: of model-export; `models`: the repository; `openvino`: a Python with
    onnxruntime's OpenVINO build, where it shall be timed too.
    """

    root: Path
    cache: Path
    models: Path
    openvino: Path | None = None

    @property
    def held_out(self) -> Path:
        """Fold 0's networks, as a repository."""
        return self.cache / "folds" / "0"


def make_variant(
    name: str,
    places: Places,
    report: Report,
    *,
    recipe: QuantizationRecipe | None = None,
    ground_of: GroundOf | None = None,
) -> VariantResult:
    """Quantize, judge and time; the result says whether it may be published. Its file is `variant_file(...)`.

    Args:
        name: a published fp32 model.
        places: where everything is.
        report: told of each step.
        recipe: other than the stage's own.
        ground_of: the slices of a manifest whose view network lies in a repository; the development sets' by default.

    Raises:
        FileNotFoundError: fold 0's network or a set is absent.
        ValueError: the model is a variant itself, or there is nothing in it to quantize.
        ModelInvalid: the model is not published.
    """
    source = ModelManifest.load(places.models / name)
    if source.variant_of or source.precision != "fp32":
        raise ValueError(f"{name} is {source.precision}: only an fp32 model is quantized")
    if not (places.held_out / name / "manifest.json").exists():
        raise FileNotFoundError(f"no held-out network of {name}: run `model-export predict {name} --fold 0` first")
    fold = ModelManifest.load(places.held_out / name)
    recipe = recipe or RECIPES[source.stage]
    ground_of = ground_of or (lambda manifest, models: _ground(manifest, places, models))
    ground = ground_of(fold, places.held_out)
    # View features are those of each tumor network's own view network; everything else is the same.
    of_published = ground if VIEW_FEATURES not in ground.inputs else ground_of(source, places.models)
    chosen = ground.calibration(recipe.pictures, recipe.seed)
    report(f"{name}: {len(chosen)} calibration pictures, {len(ground.test)} slices to judge on")
    fold_fp32, fp32 = places.held_out / name / fold.file, places.models / name / source.file
    fold_int8 = _quantized(fold_fp32, variant_file(places, fold, recipe), ground, chosen, recipe)
    int8 = _quantized(fp32, variant_file(places, source, recipe), of_published, chosen, recipe)
    report(f"{name}: quantized")
    # The published cut judges both: a fold's own manifest has none.
    held_out = judge(source, OnnxModel(fold_fp32, 1), OnnxModel(fold_int8, 1), ground)
    published = held_out
    if source.sha256 != fold.sha256 or of_published is not ground:
        published = judge(source, OnnxModel(fp32, 1), OnnxModel(int8, 1), of_published)
    result = VariantResult(
        name=name + SUFFIX,
        variant_of=name,
        stage=source.stage,
        source_sha256=source.sha256,
        held_out_sha256=fold.sha256,
        sha256=sha256_of(int8),
        bytes_fp32=fp32.stat().st_size,
        bytes_variant=int8.stat().st_size,
        recipe=recipe,
        calibration_pictures=len(chosen),
        calibration_groups=len({ground.groups[at] for at in chosen}),
        held_out=held_out,
        published=published,
        published_saw_test=source.training.groups_sha256 != fold.training.groups_sha256,
        features=_tumor_on_features(fold_int8, places) if source.stage == "view" else None,
        novelty_refused=_refused(source, OnnxModel(fp32, 1), OnnxModel(int8, 1), of_published),
        races=_races(fp32, int8),
        openvino=_openvino(fp32, int8, places.openvino),
    )
    return result.model_copy(update={"reasons": objections(result)})


def is_current(result: VariantResult, places: Places) -> bool:
    """Whether a result is about what lies there now, by the recipe of now, and its file is at hand.

    Raises:
        ModelInvalid: the model is not published, or its manifest is wrong.
    """
    source = ModelManifest.load(places.models / result.variant_of)
    fold = places.held_out / result.variant_of
    if not (fold / "manifest.json").exists() or (places.openvino and result.openvino is None):
        return False
    return (
        result.source_sha256 == source.sha256
        and result.held_out_sha256 == ModelManifest.load(fold).sha256
        and result.recipe == RECIPES[source.stage]
        and variant_file(places, source, result.recipe).exists()
    )


def variant_file(places: Places, manifest: ModelManifest, recipe: QuantizationRecipe) -> Path:
    """Where the quantized form of a model (a fold's or the published one) lies in the cache."""
    stamp = hashlib.sha256(f"{manifest.sha256}{recipe.model_dump_json()}".encode()).hexdigest()[:12]
    return places.cache / "quantized" / manifest.name / f"{stamp}.onnx"


def _ground(manifest: ModelManifest, places: Places, models: Path) -> Ground:
    def view() -> OnnxModel:
        wanted = manifest.view_model or "view"
        return OnnxModel(models / wanted / ModelManifest.load(models / wanted).file)

    return ground_for(manifest, places.root, places.cache, view)


def _quantized(
    source: Path, target: Path, ground: Ground, chosen: NDArray[np.int64], recipe: QuantizationRecipe
) -> Path:
    if not target.exists():
        made = target.with_suffix(".part")
        quantize_graph(source, made, ground.feeds(chosen), recipe)
        made.rename(target)
    return target


def _tumor_on_features(variant: Path, places: Places) -> Judgement | None:
    """Fold 0's tumor network on the features of its view network, fp32 against variant; None where there is none."""
    folder = places.held_out / "tumor"
    if not (folder / "manifest.json").exists():
        return None
    tumor = ModelManifest.load(folder)
    model = OnnxModel(folder / tumor.file, 1)
    logits = []
    for path in (places.held_out / "view" / ModelManifest.load(places.held_out / "view").file, variant):
        ground = ground_for(tumor, places.root, places.cache, lambda path=path: OnnxModel(path))  # type: ignore[misc]
        logits.append(model.run(ground.rows(ground.test), _BATCH)["logits"])
    if ground.classes is None or VIEW_FEATURES not in ground.inputs:
        return None
    return compare_answers(logits[0], logits[1], ground.classes[ground.test], [ground.groups[at] for at in ground.test])


def _refused(
    manifest: ModelManifest, fp32: OnnxModel, variant: OnnxModel, ground: Ground
) -> tuple[float, float] | None:
    limits = manifest.novelty
    if limits is None:
        return None
    rows = ground.rows(ground.test)
    shares = [float((model.run(rows, _BATCH)[limits.output] > limits.refuse_above).mean()) for model in (fp32, variant)]
    return shares[0], shares[1]


def _races(fp32: Path, variant: Path) -> Races:
    timings = race({"fp32": open_session(fp32), "int8": open_session(variant)}, _ROUNDS)
    return Races(
        onnxruntime=onnxruntime.__version__,
        package_bytes=package_bytes(),
        cpu=cpu_name(),
        timings=tuple(Race(**asdict(timing)) for timing in timings),
    )


def _openvino(fp32: Path, variant: Path, python: Path | None) -> Races | None:
    if python is None:
        return None
    packages = Path(model_export.__file__).parents[1]
    command = [str(python), "-m", "model_export.quantization.timing", str(fp32.resolve()), str(variant.resolve())]
    ran = subprocess.run(  # noqa: S603 - the interpreter that the caller named
        command, env={"PYTHONPATH": str(packages)}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise ValueError(f"{python}: {ran.stderr.strip().splitlines()[-1]}")
    return Races(**json.loads(ran.stdout))
