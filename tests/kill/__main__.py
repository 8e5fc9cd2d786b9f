"""Accept jobs, kill processes by a seeded plan while they run, wait, count. Ends with 1 when anything is wrong."""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis

from tests.kill.cluster import Cluster
from tests.kill.count import count, unfinished
from tests.kill.page import markdown
from tests.kill.traffic import accept, receiver

_LEASE_S = 6.0


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds between two kills")
    parser.add_argument("--delay", type=float, default=0.15, help="seconds that each call to a model takes")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which it has failed")
    parser.add_argument("--output", type=Path, help="folder for kill.md and kill.json")
    asked = parser.parse_args()
    plan = random.Random(asked.seed)
    victims = _victims(asked.kills, asked.workers)
    plan.shuffle(victims)
    give_up = time.monotonic() + asked.limit
    kills_ms: list[float] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurogate-kill-")))
        port, calls = stack.enter_context(receiver())
        cluster = Cluster(folder, asked.workers, _LEASE_S, asked.delay, port)
        stack.enter_context(cluster.running())
        senders = stack.enter_context(ThreadPoolExecutor(4))
        webhook = f"http://127.0.0.1:{port}/"
        accepted = [senders.submit(accept, cluster.url, number, webhook) for number in range(asked.jobs)]
        for victim in victims:
            time.sleep(plan.uniform(0.5, 1.5) * asked.pause)
            kills_ms.append(cluster.kill(victim))
            sys.stdout.write(f"kill -9 {victim}\n")
        locations = [sent.result() for sent in accepted]
        database = cluster.database()
        left = -1
        while left and time.monotonic() < give_up:
            with contextlib.suppress(redis.RedisError):
                left = unfinished(database)
            time.sleep(0.5)
        counts = count(database, locations, kills_ms, calls)
    sys.stdout.write(counts.as_json() + "\n")
    faults = counts.faults()
    if counts.accepted != asked.jobs:
        faults.append(f"{counts.accepted} analyses came of {asked.jobs} requests")
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        (asked.output / "kill.json").write_text(counts.as_json() + "\n", encoding="utf-8")
        page = markdown(counts, faults, workers=asked.workers, seed=asked.seed, lease_s=_LEASE_S, victims=victims)
        (asked.output / "kill.md").write_text(page, encoding="utf-8")
    sys.stderr.writelines(f"fault: {fault}\n" for fault in faults)
    return bool(faults)


def _victims(kills: int, workers: int) -> list[str]:
    """Every kind of process is hit, workers the most."""
    every = max(4, kills // 6)
    kinds = {0: "redis", 1: "gateway"}
    return [kinds.get(number % every, f"worker-{number % workers}") for number in range(kills)]


if __name__ == "__main__":
    sys.exit(main())
