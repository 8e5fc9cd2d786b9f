"""JSON that other readers would take."""

import pytest

from gateway.api.strict_json import NotStrict, parse_object


def test_an_object_is_read() -> None:
    assert parse_object('{"age": 61.5, "sex": "female", "none": null}') == {"age": 61.5, "sex": "female", "none": None}
    assert parse_object(b"{}") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"age": NaN}', "NaN"),
        ('{"age": Infinity}', "Infinity"),
        ('{"age": -Infinity}', "Infinity"),
        ('{"age": 1e999}', "too large"),
        ('{"age": 1, "age": 2}', "twice"),
        ('{"a": {"b": 1, "b": 1}}', "twice"),
        ("[1]", "object"),
        ("null", "object"),
        ("", "line 1"),
        ('{"age": 61', "line 1"),
        ("{'age': 61}", "line 1"),
        ('{"a":' * 100_000, "deeply"),
        (b'{"a": "\xff"}', "UTF-8"),
        ('{"age": ' + "9" * 5000 + "}", "digits"),
    ],
)
def test_what_is_not_strict_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(NotStrict, match=words):
        parse_object(text)


def test_what_was_sent_is_not_repeated() -> None:
    with pytest.raises(NotStrict) as caught:
        parse_object('{"name": "Jane Doe" x}')
    assert "Jane" not in str(caught.value)
