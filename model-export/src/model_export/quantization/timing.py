"""Models side by side in one run: the ratio holds on a busy machine where milliseconds do not.

Needs numpy and onnxruntime alone: `python -m model_export.quantization.timing` runs in any environment that has them,
such as one with onnxruntime's OpenVINO build, and prints its result as JSON.
"""

import argparse
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_WARM_UP, _BLOCK = 3, 25
_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}
_CPU, _OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})
_SHORT_NUMBERS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")
HINTS = ("f32", "bf16")
"""What OpenVINO can be told to compute in."""


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU time of one thread on one picture: milliseconds, and the first contender's time by this one's.

    In a round every contender runs once. A block of rounds gives one ratio, of the lower quartiles of the times: what
    else runs on the machine only ever adds to a time. `ratio` is the median over blocks, `low` and `high` their
    quartiles. `difference` is the largest one in any output, by the largest value of the first contender's output.
    """

    label: str
    cpu_ms: float
    ratio: float
    low: float
    high: float
    rounds: int
    difference: float
    provider: str


def open_session(path: Path, hint: str | None = None) -> onnxruntime.InferenceSession:
    """A session on one thread, tuned as the services tune theirs; with `hint` on OpenVINO in that precision."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    flags = cpu_flags()
    if flags and not flags & _VNNI:
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    providers: list[tuple[str, dict[str, str]]] = [(_CPU, {})]
    if hint is not None:
        wish = json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": hint}})
        providers.insert(0, (_OPENVINO, {"device_type": "CPU", "num_of_threads": "1", "load_config": wish}))
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def picture_like(session: onnxruntime.InferenceSession) -> dict[str, NDArray[Any]]:
    """One input of every kind: a blurred disk with texture where a picture is read, small numbers elsewhere."""
    random, found = np.random.default_rng(0), {}
    for value in session.get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in value.shape]
        if _TYPES[value.type] is np.uint8:
            across = np.linspace(-1.0, 1.0, shape[-1])
            inside = np.hypot(across[:, None], across) < 0.8
            found[value.name] = (inside * random.integers(60, 200, shape)).astype(np.uint8)
        else:
            found[value.name] = random.random(shape).astype(np.float32)
    return found


def race(contenders: Mapping[str, onnxruntime.InferenceSession], rounds: int) -> tuple[Timing, ...]:
    """Every contender once a round, in turn; ratios are made within a round."""
    inputs = picture_like(next(iter(contenders.values())))
    answers = {}
    for label, session in contenders.items():
        for _ in range(_WARM_UP):
            answers[label] = session.run(None, inputs)
    spent: dict[str, list[float]] = {label: [] for label in contenders}
    for _ in range(rounds):
        for label, session in contenders.items():
            started = time.process_time()
            session.run(None, inputs)
            spent[label].append(time.process_time() - started)
    first = next(iter(contenders))
    quick = {label: _lower_quartiles(times) for label, times in spent.items()}
    found = []
    for label, session in contenders.items():
        ratios = quick[first] / quick[label]
        low, middle, high = (float(value) for value in np.quantile(ratios, [0.25, 0.5, 0.75]))
        found.append(
            Timing(
                label=label,
                cpu_ms=float(np.median(quick[label])) * 1e3,
                ratio=middle,
                low=low,
                high=high,
                rounds=rounds,
                difference=_difference(answers[first], answers[label]),
                provider=session.get_providers()[0],
            )
        )
    return tuple(found)


def _lower_quartiles(times: Sequence[float]) -> NDArray[np.float64]:
    """That of each block of rounds; what is left over joins the last block."""
    blocks = np.array_split(np.asarray(times), max(1, len(times) // _BLOCK))
    return np.array([np.quantile(block, 0.25) for block in blocks])


def _difference(left: Sequence[NDArray[Any]], right: Sequence[NDArray[Any]]) -> float:
    return max(
        float(np.abs(one - other).max() / max(float(np.abs(one).max()), 1e-6))
        for one, other in zip(left, right, strict=True)
    )


def cpu_name() -> str:
    """The processor's name, and what it brings for short numbers."""
    known = [flag for flag in _SHORT_NUMBERS if flag in cpu_flags()]
    name = next(iter(_cpuinfo("model name")), "") or platform.processor() or platform.machine()
    return f"{name} ({', '.join(known)})" if known else name


def cpu_flags() -> frozenset[str]:
    """What the processor is able to, by the names that Linux has for it on x86; empty elsewhere."""
    return frozenset(next(iter(_cpuinfo("flags")), "").split())


def _cpuinfo(wanted: str) -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == wanted]


def package_bytes() -> int:
    """What the installed onnxruntime takes on disk."""
    folder = Path(onnxruntime.__file__).parent
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def main() -> None:
    """Time `PATH [PATH]` (fp32, int8) on onnxruntime's CPU provider and on OpenVINO; JSON on the standard output."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    if _OPENVINO not in onnxruntime.get_available_providers():
        parser.error("the installed onnxruntime has no OpenVINO")
    labels = ("fp32", "int8")[: len(given.paths)]
    contenders = {f"CPU, {label}": open_session(path) for label, path in zip(labels, given.paths, strict=True)}
    for hint in HINTS:
        contenders[f"OpenVINO, {hint}"] = open_session(given.paths[0], hint)
    if len(given.paths) > 1:
        contenders["OpenVINO, int8"] = open_session(given.paths[1], HINTS[0])
    timings = [asdict(timing) for timing in race(contenders, given.rounds)]
    found = {"onnxruntime": onnxruntime.__version__, "package_bytes": package_bytes(), "cpu": cpu_name()}
    print(json.dumps(found | {"timings": timings}))  # noqa: T201


if __name__ == "__main__":
    main()
