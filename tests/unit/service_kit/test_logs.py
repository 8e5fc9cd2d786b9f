import io
import json
import logging
from collections.abc import Iterator

import pytest

from service_kit import context, logs
from service_kit.context import RequestContext


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged from here on, as `configure_logging` writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure_logging("info")
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_one_json_object_a_line(written: io.StringIO) -> None:
    logging.getLogger("demo").info('a "quoted"\nmessage %s', "ä")
    logging.getLogger("demo").debug("not seen")
    (line,) = written.getvalue().splitlines()
    record = json.loads(line)
    assert record["message"] == 'a "quoted"\nmessage ä'
    assert (record["level"], record["logger"]) == ("info", "demo")
    assert record["time"].endswith("+00:00")
    assert "request_id" not in record


def test_request_id_is_in_every_record_of_a_request(written: io.StringIO) -> None:
    token = context.current.set(RequestContext("abc"))
    logging.getLogger("demo").warning("x")
    context.current.reset(token)
    assert json.loads(written.getvalue())["request_id"] == "abc"


def test_traceback_says_where_and_not_what(written: io.StringIO) -> None:
    def fail() -> None:
        try:
            int("Jane Doe")
        except ValueError as error:
            raise KeyError("born 1970") from error

    try:
        fail()
    except KeyError:
        logging.getLogger("demo").exception("failed")
    text = written.getvalue()
    chain = json.loads(text)["exception"]
    assert [link.split(" at ")[0] for link in chain] == ["builtins.KeyError", "builtins.ValueError"]
    assert "test_logs.py" in chain[0]
    assert "fail" in chain[1]
    assert "Jane" not in text
    assert "1970" not in text


def test_suppressed_context_is_left_out() -> None:
    def fail() -> None:
        try:
            int("a")
        except ValueError:
            raise KeyError("b") from None

    with pytest.raises(KeyError, match="b") as raised:
        fail()
    (link,) = logs.describe(raised.value)
    assert link.startswith("builtins.KeyError at ")


def test_libraries_do_not_log_urls(written: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET http://host/patient/7")
    assert written.getvalue() == ""


def test_ready_made_line_is_written_as_it_is(written: io.StringIO) -> None:
    logs.access.info(logs.JsonLine('"status":200'))
    record = json.loads(written.getvalue())
    assert record == {"time": record["time"], "level": "info", "status": 200}
    assert str(logs.JsonLine('"a":1')) == '{"a":1}'
