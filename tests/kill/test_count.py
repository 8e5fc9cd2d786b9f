"""The wait until a job runs again is counted from the kill that can have ended its try."""

from typing import Any

from tests.kill.count import reruns_ms


def _told(*steps: tuple[float, str, str]) -> list[tuple[float, dict[str, Any]]]:
    return [(moment, {"state": state, "stage": stage}) for moment, state, stage in steps]


def test_kills_before_the_last_sign_of_a_try_did_not_end_it() -> None:
    told = _told((0, "running", "decode"), (900, "running", "view"), (9000, "running", "decode"))
    assert list(reruns_ms(told, [100, 1000, 2000])) == [8000]


def test_a_try_that_ended_without_a_kill_counts_from_its_last_sign() -> None:
    told = _told((0, "running", "decode"), (900, "running", "view"), (9000, "running", "decode"))
    assert list(reruns_ms(told, [])) == [8100]


def test_a_job_that_was_given_back_waited_for_no_dead_worker() -> None:
    told = _told((0, "running", "decode"), (900, "queued", "view"), (9000, "running", "decode"))
    assert list(reruns_ms(told, [500])) == []
