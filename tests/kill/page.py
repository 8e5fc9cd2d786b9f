"""The counts as a page of docs/benchmarks."""

from collections import Counter
from collections.abc import Sequence

from tests.kill.count import Counts

_WORDS = {
    "accepted": "jobs accepted (202)",
    "kills": "processes killed with `kill -9` while jobs ran",
    "lost": "accepted jobs that did not succeed",
    "double_results": "jobs with a second result",
    "double_webhooks": "webhook ids that are of no job",
    "missing_webhooks": "jobs whose webhook never came",
    "repeated_calls": "calls of a webhook id after its first (receivers drop them by the id)",
    "executions": "times that a job was begun",
    "most_s_until_rerun": "longest wait, in s, from a kill until a job that it ended was begun again",
}


def markdown(
    counts: Counts, faults: Sequence[str], *, workers: int, seed: int, lease_s: float, victims: Sequence[str]
) -> str:
    """The page; `victims` are the processes that were killed, in order."""
    hit = Counter(victim.partition("-")[0] for victim in victims)
    times = ", ".join(f"{name} {number} times" for name, number in sorted(hit.items()))
    lines = [
        "# Killed processes",
        "",
        f"Written by `make kill-test`: {workers} workers, a gateway and Redis with its append-only file, each a",
        f"process of its own, are killed by a plan (seed {seed}) while jobs are sent and run, and are started again.",
        f"Leases last {lease_s:g} s. Hit were {times}.",
        "Redis itself is read afterwards.",
        "",
        f"**{_headline(counts, faults)}**",
        "",
        "| | |",
        "|---|---:|",
        *(f"| {words} | {getattr(counts, name):g} |" for name, words in _WORDS.items()),
        "",
    ]
    return "\n".join(lines)


def _headline(counts: Counts, faults: Sequence[str]) -> str:
    if faults:
        return "Faults: " + "; ".join(faults) + "."
    if counts.repeated_calls:
        again = f"webhooks were called again {counts.repeated_calls} times, under the same id"
        return f"Nothing lost, no result twice; {again}."
    return "Nothing lost, nothing twice."
