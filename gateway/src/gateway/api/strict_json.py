"""JSON as RFC 8259 has it: no NaN, no Infinity, no key twice, no number too large for a double, not endlessly deep."""

import json
import math
from typing import Any, NoReturn

Json = dict[str, Any]


class NotStrict(ValueError):
    """The text is not strict JSON, or not an object; the message says why and repeats none of it."""


def parse_object(text: str | bytes) -> Json:
    """Parse one JSON object.

    Raises:
        NotStrict: with a message for the caller.
    """
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique)
    except NotStrict:
        raise
    except json.JSONDecodeError as error:
        raise NotStrict(f"not JSON (line {error.lineno}, column {error.colno}: {error.msg.lower()})") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise NotStrict("not JSON in UTF-8, or a number in it has too many digits") from error
    except RecursionError as error:
        raise NotStrict("nested too deeply") from error
    if not isinstance(parsed, dict):
        raise NotStrict("not a JSON object: it must start with '{'")
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrict(f"{name} is not a number: leave the field out when the value is unknown")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrict("a number is too large")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise NotStrict("a key is there twice")
    return parsed
