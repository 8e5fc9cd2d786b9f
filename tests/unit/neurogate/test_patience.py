"""When a gateway is asked again."""

import httpx
import pytest

from neurogate.patience import GatewayAway, Patience


def answer(status: int, retry_after_s: int | None = None) -> httpx.Response:
    return httpx.Response(status, headers={} if retry_after_s is None else {"Retry-After": str(retry_after_s)})


@pytest.mark.parametrize("status", [200, 202, 401, 404, 413, 415, 422, 500])
def test_an_answer_that_stays_is_not_asked_for_again(status: int) -> None:
    assert Patience(10).pause_s(answer(status)) is None


@pytest.mark.parametrize("status", [409, 429, 503])
def test_retry_after_is_honored(status: int) -> None:
    pause_s = Patience(10).pause_s(answer(status, 7))
    assert pause_s is not None
    assert pause_s >= 7


def test_a_conflict_that_names_no_time_stays() -> None:
    assert Patience(10).pause_s(answer(409)) is None


def test_pauses_grow_and_are_bounded() -> None:
    patience = Patience(10**6)
    pauses = [patience.pause_s(answer(503)) or 0.0 for _ in range(20)]
    assert pauses[0] < 1
    assert pauses[-1] > 20
    assert max(pauses) <= 60


def test_a_full_queue_is_waited_for_and_a_dead_gateway_is_not() -> None:
    patience = Patience(-1)  # the limit has passed at once
    assert patience.pause_s(answer(429, 0)) is not None
    with pytest.raises(GatewayAway, match="HTTP 503"):
        patience.pause_s(answer(503))
    with pytest.raises(GatewayAway, match="refused"):
        patience.pause_s(httpx.ConnectError("refused"))
