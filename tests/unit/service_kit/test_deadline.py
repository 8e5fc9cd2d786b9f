import asyncio

import pytest

from service_kit import context
from service_kit.context import RequestContext
from service_kit.deadline import check_deadline, deadline, deadline_at, outgoing_headers, remaining_s
from service_kit.errors import DeadlineExceeded


def test_without_a_deadline_nothing_runs_out() -> None:
    assert remaining_s() is None
    assert outgoing_headers() == {}
    check_deadline()


def test_remaining_time_counts_down_to_the_deadline() -> None:
    with deadline(60):
        first = remaining_s()
        second = remaining_s()
    assert first is not None
    assert second is not None
    assert 59 < second <= first <= 60
    assert remaining_s() is None


def test_inner_deadline_can_only_be_earlier() -> None:
    with deadline(10):
        with deadline(100):
            late = remaining_s()
        with deadline(1):
            early = remaining_s()
        outer = remaining_s()
    assert late is not None
    assert early is not None
    assert outer is not None
    assert early <= 1
    assert 9 < outer <= late <= 10


def test_deadline_can_be_set_apart_from_the_caller() -> None:
    with deadline(0.001), deadline_at(None):
        assert remaining_s() is None
        check_deadline()


def test_passed_deadline_stops_the_work() -> None:
    with deadline(-1):
        left = remaining_s()
        assert left is not None
        assert left < 0
        with pytest.raises(DeadlineExceeded):
            check_deadline()
        assert outgoing_headers() == {"X-Deadline-Ms": "0"}


def test_outgoing_headers_carry_who_asked_and_until_when() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    token = context.current.set(RequestContext("abc", trace, "vendor=1"))
    try:
        with deadline(5):
            headers = outgoing_headers()
    finally:
        context.current.reset(token)
    assert 4900 < int(headers.pop("X-Deadline-Ms")) <= 5000
    assert headers == {"X-Request-ID": "abc", "traceparent": trace, "tracestate": "vendor=1"}


async def test_each_task_has_the_deadline_that_it_was_made_under() -> None:
    async def look() -> float | None:
        await asyncio.sleep(0)
        return remaining_s()

    with deadline(5):
        inside = asyncio.create_task(look())
    outside = asyncio.create_task(look())
    assert await outside is None
    assert await inside is not None
