"""Whatever is done to a token, it does not hold; whatever is sent, nothing breaks."""

from __future__ import annotations

import asyncio
import time
import warnings

import pytest

pytest.importorskip("jwt", reason="PyJWT is in the server extra")

import jwt
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.canonical.auth import AuthenticationFailed, Authenticator, FailureLimiter, Handshake, KeySet, OriginPolicy, TokenRules
from compat.canonical.auth.subprotocol import extract_jwt_from_subprotocol, negotiate_websocket_subprotocol

SECRET = "s" * 48
TOKEN = jwt.encode({"sub": "user_1", "exp": int(time.time()) + 6000}, SECRET, algorithm="HS256")
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def authenticator():
    return Authenticator(KeySet.shared_secret(SECRET), TokenRules(), failures=FailureLimiter(0))


def verdict(subject, token):
    """The reason of a rejection, "" for an acceptance. Warnings would be a leak of the verifier's: they fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            asyncio.run(subject.verify(token))
        except AuthenticationFailed as failure:
            return failure.reason
    return ""


def test_the_token_itself_holds():
    assert verdict(authenticator(), TOKEN) == ""


@settings(max_examples=150)
@given(position=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from(BASE64URL + ".="))
def test_no_changed_letter_is_let_through(position, letter):
    if TOKEN[position] == letter or position == len(TOKEN) - 1:
        # The last letter of a base64url text has bits that mean nothing.
        return
    assert verdict(authenticator(), TOKEN[:position] + letter + TOKEN[position + 1 :]) != ""


@settings(max_examples=150)
@given(text=st.text() | st.binary() | st.lists(st.text(BASE64URL), min_size=3, max_size=3).map(".".join))
def test_anything_else_is_rejected_with_a_reason(text):
    subject = authenticator()
    reason = verdict(subject, text)
    assert reason in ("no_token", "malformed", "algorithm", "too_large", "claims")
    assert subject.stats.snapshot()["rejections"] == {reason: 1}


@settings(max_examples=150)
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"Authorization", b"sec-websocket-protocol", b"origin", b"x"]),
            st.binary() | st.text(BASE64URL + ".,= ").map(str.encode),
        ),
        max_size=6,
    ),
    query=st.binary(max_size=80),
)
def test_no_handshake_breaks_it(headers, query):
    scope = {"type": "websocket", "headers": headers, "query_string": query, "client": None}
    with pytest.raises(AuthenticationFailed):
        asyncio.run(authenticator().authenticate(scope))
    shake = Handshake.from_scope(scope)
    assert shake.accepted_protocol is None or shake.accepted_protocol in shake.protocols


@given(offered=st.lists(st.text(BASE64URL + ".,= ")))
def test_the_answer_is_one_of_the_offers(offered):
    answer = negotiate_websocket_subprotocol(offered)
    assert answer is None or answer in [item.strip() for item in offered]
    token = extract_jwt_from_subprotocol(offered)
    assert token is None or token.count(".") == 2


@given(
    origin=st.text() | st.sampled_from(["https://", "//", "https://a.example:"]).flatmap(lambda head: st.text().map(head.__add__))
)
def test_only_listed_origins_pass(origin):
    policy = OriginPolicy(["https://a.example"])
    if policy.allows(origin):
        assert origin.strip().lower().rstrip("/") in ("https://a.example", "https://a.example:443", "https://a.example:")
