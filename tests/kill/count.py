"""What became of the jobs, read from Redis itself."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import redis

from gateway.jobs import keys
from gateway.jobs.outbox import webhook_id


@dataclass(frozen=True)
class Counts:
    """The outcome. `executions` are the claims; `repeated_calls` are calls of one webhook id after its first.

    A worker that is killed between a receiver's answer and its note of it calls again, with the same id: a receiver
    that keeps ids sees no job twice. `double_webhooks` are further ids of one job: there must be none.
    """

    accepted: int
    kills: int
    lost: int
    double_results: int
    double_webhooks: int
    missing_webhooks: int
    repeated_calls: int
    executions: int
    most_s_until_rerun: float

    def faults(self) -> list[str]:
        """What must not be."""
        checks = {
            "accepted jobs were lost": self.lost,
            "jobs have more than one result": self.double_results,
            "webhook ids are not of a job": self.double_webhooks,
            "jobs did not call": self.missing_webhooks,
            "calls more than kills explain": max(0, self.repeated_calls - self.kills),
            "executions more than jobs and kills": max(0, self.executions - self.accepted - self.kills),
            "s more than 30 until a killed worker's job ran again": max(0.0, self.most_s_until_rerun - 30),
        }
        return [f"{count} {what}" for what, count in checks.items() if count]

    def as_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self), indent=1)


def count(database: "redis.Redis", locations: list[str], kills_ms: list[float], calls: Counter[str]) -> Counts:
    """Look at every job; `kills_ms` are Unix milliseconds."""
    ids = [location.rpartition("/")[2] for location in locations]
    lost = doubles = executions = 0
    most_ms = 0.0
    for analysis_id in ids:
        state, tries = database.hmget(keys.analysis(analysis_id), ["state", "tries"])  # type: ignore[misc]
        lost += state != b"succeeded"
        executions += int(tries or 0)
        told = [(int(moment.split(b"-")[0]), json.loads(fields[b"event"])) for moment, fields in
                database.xrange(keys.events(analysis_id))]  # type: ignore[union-attr]  # fmt: skip
        finals = sum(event["state"] == "succeeded" for _, event in told)
        doubles += max(0, finals - 1)
        most_ms = max([most_ms, *reruns_ms(told, kills_ms)])
    expected = {webhook_id(analysis_id) for analysis_id in ids}
    return Counts(
        accepted=len(set(ids)),
        kills=len(kills_ms),
        lost=lost,
        double_results=doubles,
        double_webhooks=len(set(calls) - expected),
        missing_webhooks=len(expected - set(calls)),
        repeated_calls=sum(number - 1 for number in calls.values()),
        executions=executions,
        most_s_until_rerun=round(most_ms / 1000, 1),
    )


def reruns_ms(told: Sequence[tuple[float, dict[str, Any]]], kills_ms: list[float]) -> Iterator[float]:
    """From the kill that ended a try until the job ran again, for each try after the first.

    `told` are Unix milliseconds and events. Which process a kill hit is not known to the events: it is the earliest
    kill after the try's last sign of life, so the result is rather too long. A job that was given back is none.
    """
    for (last, before), (again, event) in itertools.pairwise(told):
        if event["state"] == "running" and event["stage"] == "decode" and before["state"] == "running":
            yield again - min((kill for kill in kills_ms if last <= kill <= again), default=last)


def unfinished(database: "redis.Redis") -> int:
    """Jobs and webhooks that still wait or run."""
    return sum(int(database.zcard(name)) for name in (keys.WAITING, keys.DELAYED, keys.RUNNING, keys.DUE))  # type: ignore[arg-type]
