"""The published view model gets its output `novelty`: fitted, exported again, compared, written into the manifest."""

import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch

from model_export.architectures.view import ViewNetwork
from model_export.card import ModelCard
from model_export.catalog import CATALOG
from model_export.datasets.novelty_set import NoveltySet, read_novelty_set
from model_export.datasets.split import Fold
from model_export.engine import OnnxModel
from model_export.evaluation.novelty import EXTERNAL, FITTED_FAMILIES
from model_export.evaluation.novelty_result import PICTURES_A_KIND, Timing
from model_export.export.networks import example_inputs
from model_export.export.onnx_graph import export_network
from model_export.export.triton_config import triton_config
from model_export.novelty import attach_novelty, fit_novelty, manifest_block
from model_export.novelty_statistics import NoveltyStatistics
from model_export.training.loop import load_checkpoint
from model_export.training.run import checkpoint_path
from model_export.verify import compare
from service_kit.inference.manifest import ModelManifest, sha256_of

_RUNS = 60


def fit_published(network: ViewNetwork, found: NoveltySet) -> NoveltyStatistics:
    """Statistics on every source but `views64`, against every kind that may serve to fit."""
    kept = found.sources != EXTERNAL
    fitting = np.array([found.families[kind] in FITTED_FAMILIES for kind in found.kinds])
    return fit_novelty(network, found.real[kept], found.sources[kept].tolist(), outliers=found.outliers[fitting])


def add_novelty(folder: Path, root: Path, cache: Path, fold: Fold, network: ViewNetwork | None = None) -> ModelManifest:
    """Give the view model in `folder` the output; logits and features stay as they are, calibration too.

    Args:
        folder: `models/view`, written already.
        root: the development sets.
        cache: checkpoints and pictures.
        fold: whose weights are in `folder`.
        network: the same weights, where the checkpoint is not to be read.

    Raises:
        FileNotFoundError: the network was not trained, or a set is absent.
        ValueError: the ONNX file does not compute what the network computes.
    """
    manifest = ModelManifest.load(folder)
    if network is None:
        network = ViewNetwork()
        network.load_state_dict(load_checkpoint(checkpoint_path(cache, "view", fold))[0])
    found = read_novelty_set(root, cache, PICTURES_A_KIND)
    statistics = fit_published(network, found)
    extended = attach_novelty(network, statistics)
    path = folder / manifest.file
    size = found.real.shape[-1]
    batches: list[tuple[torch.Tensor, ...]] = [(torch.from_numpy(found.real[:count, None].copy()),) for count in (1, 5)]
    with tempfile.TemporaryDirectory() as made:
        exported = Path(made) / "model.onnx"
        export_network(copy.deepcopy(extended), example_inputs("view", size, 2), exported)
        parity = compare(extended, exported, batches)
        if not parity.passed:
            raise ValueError(f"{manifest.name}: the ONNX file differs from the network: {parity}")
        path.write_bytes(exported.read_bytes())
    sources = sorted(set(found.sources.tolist()) - {EXTERNAL})
    block = manifest_block(statistics, f"slices of {', '.join(sources)}, each judged by the statistics of the others")
    changed = manifest.model_copy(
        update={"sha256": sha256_of(path), "outputs": OnnxModel(path).outputs(), "novelty": block}
    )
    changed.dump(folder)
    text = triton_config(changed.name, changed.inputs, changed.outputs, CATALOG["view"].max_batch)
    (folder / "config.pbtxt").write_text(text, encoding="utf-8")
    card = ModelCard.load(folder)
    updated = {"sha256": changed.sha256, "file_bytes": path.stat().st_size, "verification": parity}
    card.model_copy(update=updated).dump(folder)
    return changed


def time_novelty(path: Path) -> Timing:
    """What the output costs: the model with it against the same graph without, one thread, one picture."""
    names = [value.name for value in onnx.load(path).graph.output]
    with tempfile.TemporaryDirectory() as made:
        short = Path(made) / "model.onnx"
        onnx.utils.extract_model(str(path), str(short), ["image"], [name for name in names if name != "novelty"])
        models = {"without": OnnxModel(short, threads=1), "with": OnnxModel(path, threads=1)}
        size = models["with"].inputs()[0].shape[-1]
        image = {"image": np.zeros((1, 1, size, size), np.uint8)}
        spent: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(_RUNS):
            for name, model in models.items():
                started = time.perf_counter()
                model.run(image)
                spent[name].append((time.perf_counter() - started) * 1e3)
    without, with_it = (float(np.min(spent[name])) for name in ("without", "with"))
    return Timing(without_ms=without, with_ms=with_it, ratio=with_it / without)
