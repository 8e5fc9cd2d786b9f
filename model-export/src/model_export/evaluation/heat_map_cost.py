"""What the heat map costs: the classifier as it is published against the same graph without the map."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import utils as onnx_utils
from pydantic import BaseModel, ConfigDict

from model_export.engine import OnnxModel

MAP = "cam"
_ROUNDS, _WARM_UP = 60, 5


class HeatMapCost(BaseModel):
    """The map's share of the classifier's CPU time: the median over interleaved rounds of (with - without) / without.

    `low` and `high` are the 95 % bootstrap interval of that median.
    """

    model_config = ConfigDict(frozen=True)

    rounds: int
    with_map_ms: float
    without_map_ms: float
    share: float
    low: float
    high: float


def measure_cost(
    model_file: Path,
    image: NDArray[np.uint8],
    features: NDArray[np.float32],
    *,
    rounds: int = _ROUNDS,
    clock: Callable[[], float] = time.process_time,
) -> HeatMapCost:
    """Both graphs on one thread, one slice a run, in turns, so that what else the machine does hits both alike.

    CPU time: a machine that is busy with other things makes the clock on the wall useless for a few percent.

    Args:
        model_file: the tumor model's ONNX file.
        image: `[1, S, S]`.
        features: `[128]`.
        rounds: of one run each.
        clock: seconds of CPU time.
    """
    arrays: dict[str, NDArray[np.generic]] = {"image": image[None], "view_features": features[None]}
    with tempfile.TemporaryDirectory() as folder:
        pruned = Path(folder) / "without-map.onnx"
        without_map(model_file, pruned)
        models = OnnxModel(pruned, threads=1), OnnxModel(model_file, threads=1)
        for _ in range(_WARM_UP):
            for model in models:
                model.run(arrays)
        times = np.empty((rounds, 2))
        for turn in range(rounds):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                started = clock()
                models[which].run(arrays)
                times[turn, which] = clock() - started
    return cost_of(times)


def cost_of(times_s: NDArray[np.float64]) -> HeatMapCost:
    """The cost from seconds `[rounds, 2]`: without the map, with it."""
    shares = (times_s[:, 1] - times_s[:, 0]) / times_s[:, 0]
    drawn = np.random.default_rng(0).integers(0, len(shares), (1000, len(shares)))
    low, high = np.quantile(np.median(shares[drawn], axis=1), [0.025, 0.975])
    without, with_map = np.median(times_s, axis=0) * 1000
    return HeatMapCost(
        rounds=len(shares),
        with_map_ms=float(with_map),
        without_map_ms=float(without),
        share=float(np.median(shares)),
        low=float(low),
        high=float(high),
    )


def without_map(model_file: Path, out: Path) -> None:
    """Write the graph without the heat map and all that only the map needs.

    Raises:
        ValueError: the model has no map.
    """
    graph = onnx.load(str(model_file)).graph
    outputs = [value.name for value in graph.output]
    if MAP not in outputs:
        raise ValueError(f"{model_file}: there is no output {MAP}")
    kept = [name for name in outputs if name != MAP]
    onnx_utils.extract_model(str(model_file), str(out), [value.name for value in graph.input], kept)
