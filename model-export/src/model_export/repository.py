"""A trained checkpoint becomes a model folder: `<name>/{1/model.onnx, manifest.json, config.pbtxt, card.json}`."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor

from model_export.card import ModelCard
from model_export.catalog import CATALOG, MODEL_VERSION, RESEARCH_ONLY, CatalogEntry
from model_export.datasets.brats import brats_split
from model_export.datasets.clinical import empty_record, feature_names, read_clinical
from model_export.datasets.film_set import film_split
from model_export.datasets.slices import fold_slices
from model_export.datasets.split import FOLDS, Fold, GroupSplit
from model_export.datasets.tumor_set import tumor_samples
from model_export.datasets.view_set import view_samples
from model_export.engine import OnnxModel
from model_export.export.clinical_graph import clinical_graph
from model_export.export.networks import NETWORKS, example_inputs, trained_network
from model_export.export.onnx_graph import export_network, write_graph
from model_export.export.triton_config import triton_config
from model_export.parity import Parity
from model_export.training.clinical import clinical_pipeline, encode, fitted_columns
from model_export.training.config import TrainingConfig
from model_export.training.loop import load_checkpoint
from model_export.training.run import checkpoint_path
from model_export.training.volume_config import VolumeConfig
from model_export.verify import MAX_DIFFERENCE, compare
from service_kit.inference.manifest import ClinicalColumn, ModelManifest, Postprocessing, Training, sha256_of
from service_kit.inference.preprocessing import Preprocessing
from service_kit.inference.volume import VolumePreprocessing

CROSS_VALIDATED = (
    "Grouped 5-fold cross-validation: whole patients, near-duplicate clusters where the patient is unknown, clusters "
    "joined where the audit found copies across them; a slice of which a copy is trained on is not judged. Every "
    "patient is judged by a network that never saw them. Temperature, thresholds and cuts are fitted on the "
    "out-of-fold answers; the figures that depend on them are cross-fitted. "
)
HELD_OUT = "One grouped hold-out, the first fold of the cross-validation that judges the default models. "
CASES_VALIDATED = (
    "Grouped cross-validation by whole cases: each is judged by a network that never saw it, at threshold .5, on its "
    "own 1 mm voxels. "
)
ALL_TRAINED = "The published weights come from the same recipe on all patients."
FOLD_TRAINED = "The published weights are those of the first fold: they never saw its test patients."


@dataclass(frozen=True)
class Workplace:
    """Where things are: `root` the development sets, `cache` checkpoints and pictures, `models` the repository."""

    root: Path
    cache: Path
    models: Path


def protocol_of(entry: CatalogEntry, fold: Fold) -> str:
    """How the model is judged, and what the published weights saw."""
    if entry.kind == "volume":
        return CASES_VALIDATED + (ALL_TRAINED if fold.index is None else FOLD_TRAINED)
    return (HELD_OUT if entry.zoo else CROSS_VALIDATED) + (ALL_TRAINED if fold.index is None else FOLD_TRAINED)


def fold_of(manifest: ModelManifest) -> Fold:
    """The fold whose weights a published model has. Raises `ValueError` where the manifest does not say."""
    index = manifest.training.config.get("fold", FOLDS)
    if index is not None and not isinstance(index, int):
        raise ValueError(f"{manifest.name}: the fold {index} is no number")
    return Fold(index, manifest.training.seed)


def split_of(name: str, root: Path, fold: Fold) -> GroupSplit:
    """The split that a model was trained with."""
    entry = CATALOG[name]
    if entry.kind == "volume":
        return brats_split(root, fold)
    if entry.stage == "view":
        return view_samples(root, fold)[1]
    if entry.stage == "tumor":
        return tumor_samples(root, fold)[1]
    return fold_slices(root, fold)[1] if entry.sequences == ("t1ce",) else film_split(root, fold)


def clinical_columns(root: Path, fold: Fold) -> tuple[ClinicalColumn, ...]:
    """The clinical model, fitted on the training patients of seg-flair-film: in the leaky arm too, which has none."""
    table, split = read_clinical(root), film_split(root, replace(fold, leaky=False))
    return fitted_columns(np.array([table[patient] for patient in sorted(table) if patient in split.train]))


def write_model(name: str, folder: Path, place: Workplace, fold: Fold) -> ModelManifest:
    """Export a fold's checkpoint into `folder`, verify it there, and write manifest, Triton config and card.

    Nothing is calibrated yet.

    Raises:
        FileNotFoundError: the network was not trained, or a set is absent.
        ValueError: the ONNX file does not compute what the network computes.
    """
    entry, path = CATALOG[name], folder / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    config: TrainingConfig | None = None
    history: list[dict[str, float]] = []
    if entry.kind == "tabular":
        write_graph(clinical_graph(clinical_columns(place.root, fold)), path)
    else:
        state, config, history = load_checkpoint(checkpoint_path(place.cache, NETWORKS[name].trained, fold))
        export_network(trained_network(name, state), example_inputs(name, config.size, 2), path)
    parity = verify_model(name, path, place, fold)
    if not parity.passed:
        raise ValueError(f"{name}: the ONNX file differs from the network: {parity}")
    manifest = _manifest(entry, path, config, place, fold)
    manifest.dump(folder)
    text = triton_config(name, manifest.inputs, manifest.outputs, entry.max_batch)
    (folder / "config.pbtxt").write_text(text, encoding="utf-8")
    card = _card(entry, manifest, folder, history, parity)
    card.model_copy(update={"protocol": protocol_of(entry, fold)}).dump(folder)
    return manifest


def verify_model(name: str, path: Path, place: Workplace, fold: Fold) -> Parity:
    """Compare an ONNX file with the checkpoint (or scikit-learn) on real or generated inputs, batches of 1 and 5."""
    if CATALOG[name].kind == "tabular":
        return _clinical_parity(path, place, fold)
    state, config, _ = load_checkpoint(checkpoint_path(place.cache, NETWORKS[name].trained, fold))
    network = copy.deepcopy(trained_network(name, state))
    return compare(network, path, [_verification_inputs(name, config, place, count) for count in (1, 5)])


def _verification_inputs(name: str, config: TrainingConfig, place: Workplace, count: int) -> tuple[Tensor, ...]:
    image, *others = example_inputs(name, config.size, count, config.seed)
    if isinstance(config, VolumeConfig):
        return (image, *others)
    kind = "t1" if NETWORKS[name].channels == 1 else "lgg"
    cached = sorted((place.cache / "pictures").glob(f"{kind}-{config.size}-*[0-9a-f].npy"))
    if cached:
        pictures = np.load(cached[0], mmap_mode="r")
        positions = np.random.default_rng(config.seed).integers(0, len(pictures), count)
        image = torch.from_numpy(np.array(pictures[np.sort(positions)]))
    return (image, *others)


def _clinical_parity(path: Path, place: Workplace, fold: Fold) -> Parity:
    table, split = read_clinical(place.root), film_split(place.root, fold)
    records = np.array([table[p] for p in sorted(table)])
    fitted = clinical_pipeline().fit(records[[p in split.train for p in sorted(table)]])
    hidden = np.where(np.random.default_rng(fold.seed).random(records.shape) < 0.3, np.nan, records)
    tried = np.concatenate([records, hidden, [empty_record()]])
    found = OnnxModel(path).run({"record": tried.astype(np.float32)}, batch=5)["vector"]
    single = OnnxModel(path).run({"record": tried[:1].astype(np.float32)}, batch=1)["vector"]
    worst = float(np.abs(found - fitted.transform(tried)).max())
    worst = max(worst, float(np.abs(single[0] - found[0]).max()))
    return Parity(
        batches=(1, 5), max_probability_difference=worst, max_output_difference=worst, passed=worst <= MAX_DIFFERENCE
    )


def _manifest(
    entry: CatalogEntry, path: Path, config: TrainingConfig | None, place: Workplace, fold: Fold
) -> ModelManifest:
    model, split = OnnxModel(path), split_of(entry.name, place.root, fold)
    columns = clinical_columns(place.root, fold) if entry.reads_record else ()
    verb = f"train {NETWORKS[entry.name].trained}" if config else f"publish {entry.name}"
    return ModelManifest(
        name=entry.name,
        version=MODEL_VERSION,
        stage=entry.stage,
        title=entry.title,
        architecture=f"{entry.architecture}, {_size_words(config)}" if config else entry.architecture,
        precision="fp32",
        sha256=sha256_of(path),
        inputs=model.inputs(),
        outputs=model.outputs(),
        labels=entry.labels,
        sequences=entry.sequences,
        fallback=entry.fallback,
        clinical_features=feature_names() if columns else (),
        clinical_default=tuple(float(v) for v in encode(np.array([empty_record()]), columns)[0]) if columns else (),
        clinical_columns=columns if entry.kind == "tabular" else (),
        preprocessing=Preprocessing(size=config.size) if config and not isinstance(config, VolumeConfig) else None,
        postprocessing=Postprocessing() if isinstance(config, VolumeConfig) else None,
        volume=_volume_preprocessing(config) if isinstance(config, VolumeConfig) else None,
        training=Training(
            command=f"model-export {verb} {_options(fold)}",
            seed=fold.seed,
            config=config.model_dump(mode="json") if config else {"fold": fold.index},
            dataset=entry.dataset,
            groups_sha256=split.sha256(),
            groups=split.counts(),
        ),
    )


def _size_words(config: TrainingConfig) -> str:
    return (
        f"{config.size} voxels of {config.spacing_mm:g} mm" if isinstance(config, VolumeConfig) else f"{config.size} px"
    )


def _volume_preprocessing(config: VolumeConfig) -> VolumePreprocessing:
    return VolumePreprocessing(patch_voxels=config.size, spacing_mm=config.spacing_mm)


def _options(fold: Fold) -> str:
    """The options of a command that say which fold, and where the sets are."""
    return f"--fold {fold.label.removeprefix('fold-')} --data ../shared/data"


def _card(
    entry: CatalogEntry, manifest: ModelManifest, folder: Path, history: list[dict[str, float]], parity: Parity
) -> ModelCard:
    path = folder / manifest.file
    weights = onnx.load(path).graph.initializer
    return ModelCard(
        name=entry.name,
        version=manifest.version,
        title=entry.title,
        intended_use=entry.intended_use,
        notice=RESEARCH_ONLY,
        architecture=manifest.architecture,
        parameters=int(sum(np.prod(w.dims) for w in weights if w.data_type == onnx.TensorProto.FLOAT)),
        file_bytes=path.stat().st_size,
        sha256=manifest.sha256,
        training_sets=entry.dataset,
        licences=entry.licences,
        training_counts={},
        groups=manifest.training.groups,
        protocol=protocol_of(entry, fold_of(manifest)),
        config=dict(manifest.training.config),
        seed=manifest.training.seed,
        history=tuple(history),
        limits=entry.limits,
        verification=parity,
        reproduce=(
            manifest.training.command,
            f"model-export publish {entry.name} {_options(fold_of(manifest))}",
            "model-export evaluate --data ../shared/data --out docs/evaluation",
        ),
    )
