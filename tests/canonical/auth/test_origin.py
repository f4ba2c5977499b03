"""The origin allow-list."""

from __future__ import annotations

import pytest

from compat.canonical.auth.origin import OriginPolicy, normalize_origin

POLICY = OriginPolicy(["https://app.example.com", "http://localhost:3000", "https://*.corp.example"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com:443",
        "http://localhost:3000",
        "https://a.b.corp.example",
    ],
)
def test_listed_origins_pass(origin):
    assert POLICY.allows(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://app.example.com",
        "https://app.example.com.evil.com",
        "https://evil.com/https://app.example.com",
        "https://app.example.com@evil.com",
        "https://corp.example",
        "https://evilcorp.example",
        "http://a.corp.example",
        "http://localhost:3001",
        "https://app.example.com:99999",
        "https://app.example.com?",
        "https://app.example.com:443/#",
        "https://app.exam\nple.com",
        "https://app.example\t.com",
        "null",
        "",
    ],
)
def test_foreign_origins_do_not(origin):
    assert not POLICY.allows(origin)


def test_a_missing_origin_is_a_decision():
    assert POLICY.allows(None)
    assert not OriginPolicy(["https://a.example"], allow_missing=False).allows(None)


def test_a_star_lets_everyone_in():
    assert OriginPolicy(["*"]).allows("https://evil.com")


def test_a_bad_entry_is_refused_at_once():
    with pytest.raises(ValueError, match=r"'app\.example\.com' is no origin; write 'https://host'"):
        OriginPolicy(["app.example.com"])


def test_ipv6_origins_keep_their_brackets():
    assert normalize_origin("http://[::1]:8000") == "http://[::1]:8000"
