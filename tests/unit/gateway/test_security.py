"""Keys, and when they are needed."""

import pytest
from pydantic import SecretStr, ValidationError

from gateway.security import ANONYMOUS, KeyGuard
from gateway.settings import GatewaySettings
from service_kit.errors import Unauthorized

KEY, OTHER = "k" * 24, "another-key-of-24-letters"


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [(f"Bearer {KEY}", None), (f"bearer  {KEY} ", None), (None, KEY), ("Basic abc", KEY), (f"Bearer {OTHER}", "wrong")],
)
def test_a_key_is_taken_from_either_header(authorization: str | None, api_key: str | None) -> None:
    principal = KeyGuard([SecretStr(KEY), SecretStr(OTHER)]).identify(authorization, api_key)
    assert principal != ANONYMOUS
    assert KEY not in principal.name


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        (None, None),
        ("", ""),
        ("Bearer", None),
        ("Bearer ", None),
        (f"Bearer {KEY}x", None),
        (f"Basic {KEY}", None),
        (KEY, None),
        (None, KEY[:-1]),
        (None, "ключ"),
    ],
)
def test_without_a_right_key_nobody_passes(authorization: str | None, api_key: str | None) -> None:
    with pytest.raises(Unauthorized) as caught:
        KeyGuard([SecretStr(KEY)]).identify(authorization, api_key)
    assert KEY not in caught.value.detail


def test_keys_tell_callers_apart_and_without_keys_everybody_is_anonymous() -> None:
    guard = KeyGuard([SecretStr(KEY), SecretStr(OTHER)])
    assert guard.identify(None, KEY) != guard.identify(None, OTHER)
    assert guard.identify(None, KEY) == guard.identify(f"Bearer {KEY}", None)
    assert KeyGuard([]).identify(None, None) == ANONYMOUS


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])
def test_an_address_that_others_reach_needs_keys(host: str) -> None:
    with pytest.raises(ValidationError, match="GATEWAY_API_KEYS"):
        GatewaySettings(host=host)
    assert GatewaySettings(host=host, api_keys=(SecretStr(KEY),)).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_loopback_needs_none(host: str) -> None:
    assert GatewaySettings(host=host).api_keys == ()


def test_a_short_key_is_refused_and_keys_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="16 characters"):
        GatewaySettings(api_keys=(SecretStr("short"),))
    monkeypatch.setenv("GATEWAY_API_KEYS", f'["{KEY}"]')
    settings = GatewaySettings()
    assert settings.api_keys[0].get_secret_value() == KEY
    assert KEY not in repr(settings)
