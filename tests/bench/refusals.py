"""Bad inputs against a running gateway: status, code, ms, memory growth, what was stored.

`python -m tests.bench.refusals --output docs/benchmarks`; part of `make bench`. Exits 1 when a promise is broken.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from neurogate.models_dir import find_models_dir
from tests.bench.contenders import Contender, neurogate
from tests.unit.gateway_imaging import pictures
from tests.unit.gateway_imaging.bad_inputs import BAD_INPUTS

_LIMIT_MS, _LIMIT_MB = 200.0, 64.0
Files = list[tuple[str, tuple[str | None, bytes]]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One bad input and how it was met."""

    name: str
    status: int
    code: str
    ms: float
    growth_mb: float

    @property
    def kept_promise(self) -> bool:
        """A 4xx with a code, quickly, in little memory."""
        return 400 <= self.status < 500 and bool(self.code) and self.ms <= _LIMIT_MS and self.growth_mb <= _LIMIT_MB


def _requests() -> Iterator[tuple[str, Files]]:
    for name, bad in BAD_INPUTS.items():
        yield name, [(part.name, (part.filename, part.content)) for part in bad.parts()]
    scan = ("file", ("scan.png", pictures.save(pictures.gray8(), "PNG")))
    texts = {
        "no file at all": [("options", "{}")],
        "NaN in clinical": [("clinical", '{"age": NaN}')],
        "clinical is no JSON": [("clinical", "age: 51")],
        "clinical gives the answer away": [("clinical", '{"tumor_location": "frontal"}')],
        "unknown clinical field": [("clinical", '{"agee": 51}')],
        "age out of range": [("clinical", '{"age": -4}')],
        "unknown option": [("options", '{"sgement": "always"}')],
        "wrong option value": [("options", '{"segment": "perhaps"}')],
        "unknown model": [("options", '{"models": {"tumor": "no-such-model"}}')],
        "options twice": [("options", "{}"), ("options", "{}")],
        "unknown part": [("picture2", "x")],
    }
    for name, fields in texts.items():
        files: Files = [] if name.startswith("no file") else [scan]
        yield name, files + [(field, (None, value.encode())) for field, value in fields]
    yield "too many parts", [scan] * 200


def _peak_mb(contender: Contender) -> float:
    """Peak resident memory of the server since the last reset, in MB."""
    status = Path(f"/proc/{contender.roots[0].pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _reset_peak(contender: Contender) -> None:
    Path(f"/proc/{contender.roots[0].pid}/clear_refs").write_text("5")


def _measure(contender: Contender) -> tuple[list[Refusal], int]:
    refusals = []
    with httpx.Client(timeout=60, trust_env=False) as http:
        good = [("file", ("scan.png", pictures.save(pictures.gray8(), "PNG")))]
        for _ in range(3):
            http.post(contender.url, files=good).raise_for_status()
        before = len(http.get(contender.url, params={"limit": 100}).json()["analyses"])
        for name, files in _requests():
            _reset_peak(contender)
            base = _peak_mb(contender)
            started = time.perf_counter()
            answer = http.post(contender.url, files=files)
            took_ms = (time.perf_counter() - started) * 1e3
            is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
            code = str(answer.json().get("code", "")) if is_problem else ""
            growth_mb = max(0.0, _peak_mb(contender) - base)
            refusals.append(Refusal(name, answer.status_code, code, round(took_ms, 1), round(growth_mb, 1)))
        stored = len(http.get(contender.url, params={"limit": 100}).json()["analyses"]) - before
    return refusals, stored


def _markdown(refusals: list[Refusal], stored: int) -> str:
    slowest = max(refusal.ms for refusal in refusals)
    largest = max(refusal.growth_mb for refusal in refusals)
    lines = [
        "# Refusals",
        "",
        f"Written by `make bench`. {len(refusals)} bad inputs sent to a running `neurogate up`, one after the other:",
        f"each must get a 4xx problem within {_LIMIT_MS:.0f} ms, cost under {_LIMIT_MB:.0f} MB, and store nothing.",
        f"Slowest: {slowest:.0f} ms. Largest growth: {largest:.0f} MB. Stored: {stored}.",
        "",
        "| input | status | code | ms | growth MB |",
        "|---|---:|---|---:|---:|",
    ]
    lines += [f"| {r.name} | {r.status} | `{r.code}` | {r.ms:.0f} | {r.growth_mb:.0f} |" for r in refusals]
    return "\n".join([*lines, ""])


def main() -> int:
    """Write `refusals.md`; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="neurogate-bench-") as folder,
        neurogate(find_models_dir(), Path(folder)) as contender,
    ):
        refusals, stored = _measure(contender)
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = _markdown(refusals, stored)
    (arguments.output / "refusals.md").write_text(text, encoding="utf-8")
    print(text)
    broken = [refusal for refusal in refusals if not refusal.kept_promise]
    for refusal in broken:
        print(f"broken promise: {refusal}", file=sys.stderr)
    return bool(broken or stored)


if __name__ == "__main__":
    sys.exit(main())
