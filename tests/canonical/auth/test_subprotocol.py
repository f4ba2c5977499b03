"""Which subprotocols carry tokens, and which are answered."""

from __future__ import annotations

import pytest

from compat.canonical.auth.subprotocol import (
    decode_token,
    extract_jwt_from_subprotocol,
    negotiate_websocket_subprotocol,
    split_protocols,
    strip_bearer,
)

JWT = "aaaaa.bbbbb.ccccc"


@pytest.mark.parametrize("prefix", ["jwt.", "jwt-auth.", "bearer.", "staging-auth."])
def test_every_prefix_carries_a_raw_and_an_encoded_token(prefix, b64):
    assert extract_jwt_from_subprotocol(prefix + JWT) == JWT
    assert extract_jwt_from_subprotocol(prefix + b64(JWT.encode())) == JWT
    assert extract_jwt_from_subprotocol(f"chat, {prefix}{JWT}") == JWT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "chat",
        "jwt.",
        "jwt.short",
        "jwt.a.b.c",
        "jwt.aaaaaaaaaaaa",
        "jwt.aaaaa..ccccc",
        "jwt.!!!!!!!!!!!!!",
        "xjwt." + JWT,
    ],
)
def test_what_carries_no_token_gives_none(value):
    assert extract_jwt_from_subprotocol(value) is None


def test_encoded_bytes_that_are_no_utf8_give_none(b64):
    assert decode_token(b64(b"\xff\xfe" * 10)) is None


def test_a_malformed_offer_does_not_hide_a_good_one():
    assert extract_jwt_from_subprotocol(["jwt.bad", f"bearer.{JWT}"]) == JWT


@pytest.mark.parametrize(
    ("offered", "answer"),
    [
        (["jwt-auth", f"jwt.{JWT}"], f"jwt.{JWT}"),
        ([f"jwt-auth.{JWT}"], f"jwt-auth.{JWT}"),
        (["chat", "bearer"], "bearer"),
        (["e2e-testing"], "e2e-testing"),
        ([f"staging-auth.{JWT}"], None),
        (["jwt."], None),
        (["chat"], None),
        ([], None),
        (None, None),
    ],
)
def test_negotiation_answers_with_the_clients_own_string(offered, answer):
    assert negotiate_websocket_subprotocol(offered) == answer


def test_splitting_and_bearer_forms():
    assert split_protocols(" a , ,b") == ["a", "b"]
    assert strip_bearer(f"bearer  {JWT}") == JWT
    assert strip_bearer("Basic abc") is None
    assert strip_bearer("Bearer ") is None
    assert strip_bearer(None) is None
