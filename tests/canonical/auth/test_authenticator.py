"""The attack list: every forged, foreign, stale or misplaced credential is rejected, counted, and told apart."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

pytest.importorskip("jwt", reason="PyJWT is in the server extra")

from compat.canonical.auth import (
    AuthenticationFailed,
    Authenticator,
    FailureLimiter,
    Handshake,
    KeySet,
    OriginPolicy,
    TokenRules,
    get_authenticator,
)

RULES = TokenRules(issuer="https://issuer.example", audience="netra")


@pytest.fixture
def make(secret):
    """An authenticator as a server would hold it."""

    def build(**changes):
        changes.setdefault("failures", FailureLimiter(0))
        return Authenticator(KeySet.shared_secret(secret), RULES, origins=OriginPolicy(["https://app.example"]), **changes)

    return build


def scope(token=None, *, header=None, origin="https://app.example", query=b"", protocol=None, address="203.0.113.7"):
    """An ASGI scope as uvicorn builds it."""
    headers = []
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if header is not None:
        headers.append((b"authorization", header if isinstance(header, bytes) else header.encode()))
    if protocol is None and token is not None:
        protocol = f"jwt.{token}".encode()
    if protocol is not None:
        headers.append((b"sec-websocket-protocol", protocol))
    return {"type": "websocket", "headers": headers, "query_string": query, "client": (address, 50000)}


def rejected(authenticator, connection):
    """Authenticate, expect a rejection that is counted once, and return it."""
    before = authenticator.stats.snapshot()
    with pytest.raises(AuthenticationFailed) as caught:
        asyncio.run(authenticator.authenticate(connection))
    after = authenticator.stats.snapshot()
    assert after["attempts"] == before["attempts"] + 1
    assert after["successes"] == before["successes"]
    reason = caught.value.reason
    assert after["rejections"][reason] == before["rejections"].get(reason, 0) + 1
    return caught.value


@pytest.mark.parametrize("form", ["jwt.", "jwt-auth.", "bearer.", "staging-auth."])
def test_a_token_in_a_subprotocol_lets_its_subject_in(make, make_token, form, b64):
    authenticator, token = make(), make_token()
    for carried in (token, b64(token.encode())):
        identity = asyncio.run(authenticator.authenticate(scope(protocol=f"{form}{carried}".encode())))
        assert (identity.user_id, identity.source) == ("user_1", "subprotocol")
    assert authenticator.stats.snapshot() == {
        "attempts": 2,
        "successes": 2,
        "failures": 0,
        "success_rate_percent": 100.0,
        "rejections": {},
    }


def test_the_authorization_header_comes_first(make, make_token):
    connection = scope(make_token(sub="user_2"), header="Bearer " + make_token())
    identity = asyncio.run(make().authenticate(connection))
    assert (identity.user_id, identity.source) == ("user_1", "authorization")
    assert identity.claims["aud"] == "netra"
    assert 590 < identity.expires_at - time.time() <= 600


def test_the_first_message_may_carry_the_token(make, make_token):
    authenticator = make()
    text = json.dumps({"type": "authenticate", "token": make_token()})
    assert asyncio.run(authenticator.authenticate_message(text)).user_id == "user_1"
    for bad, reason in (
        ("not json", "malformed"),
        (b"\xff\xfe", "malformed"),
        ("[" * 100_000, "malformed"),
        ('{"type": "chat", "token": "x"}', "no_token"),
        ('{"type": "authenticate", "token": 7}', "no_token"),
        ("[]", "no_token"),
    ):
        with pytest.raises(AuthenticationFailed) as caught:
            asyncio.run(authenticator.authenticate_message(bad))
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        ("alg none", "algorithm"),
        ("hs for rs", "algorithm"),
        ("wrong key", "signature"),
        ("expired", "expired"),
        ("not yet valid", "not_yet_valid"),
        ("wrong audience", "audience"),
        ("wrong issuer", "issuer"),
        ("no subject", "subject"),
        ("no expiry", "claims"),
        ("foreign origin", "origin"),
        ("null origin", "origin"),
        ("huge token", "too_large"),
        ("malformed utf-8 header", "malformed"),
        ("malformed utf-8 subprotocol", "no_token"),
        ("token in the url", "token_in_url"),
        ("token in the url besides a good one", "token_in_url"),
        ("nothing", "no_token"),
        ("basic", "no_token"),
    ],
)
def test_the_attack_list(make, make_token, forge, b64, attack, reason):
    good = make_token()
    connection = {
        "alg none": lambda: scope(header="Bearer " + forge({"alg": "none"}, {"sub": "user_1", "exp": time.time() + 60}, b"")),
        "hs for rs": lambda: scope(forge({"alg": "RS256"}, {"sub": "user_1", "exp": time.time() + 60})),
        "wrong key": lambda: scope(make_token("o" * 48)),
        "expired": lambda: scope(make_token(exp=1)),
        "not yet valid": lambda: scope(make_token(nbf=9_999_999_999)),
        "wrong audience": lambda: scope(make_token(aud="elsewhere")),
        "wrong issuer": lambda: scope(make_token(iss="https://evil.example")),
        "no subject": lambda: scope(make_token(sub=None)),
        "no expiry": lambda: scope(make_token(exp=None)),
        "foreign origin": lambda: scope(good, origin="https://evil.example"),
        "null origin": lambda: scope(good, origin="null"),
        "huge token": lambda: scope(header="Bearer " + "x" * 100_000),
        "malformed utf-8 header": lambda: scope(header=b"Bearer \xff\xfe.\xff.\xff"),
        "malformed utf-8 subprotocol": lambda: scope(protocol=f"jwt.{b64(bytes([255, 254] * 20))}".encode()),
        "token in the url": lambda: scope(query=f"token={good}".encode()),
        "token in the url besides a good one": lambda: scope(good, query=b"a=1&Access_Token=x"),
        "nothing": scope,
        "basic": lambda: scope(header="Basic dXNlcjpwYXNz"),
    }[attack]()
    failure = rejected(make(), connection)
    assert failure.reason == reason
    assert failure.close_code == 1008
    assert good not in str(failure)


def test_a_revoked_token_is_rejected_when_replayed(make, make_token):
    revoked = set()
    for hook in (lambda claims: claims["jti"] in revoked, None):
        if hook is None:

            async def hook(claims):
                return claims["jti"] in revoked

        revoked.clear()
        authenticator = make(revoked=hook)
        connection = scope(make_token(jti="abc"))
        assert asyncio.run(authenticator.authenticate(connection)).user_id == "user_1"
        revoked.add("abc")
        assert rejected(authenticator, connection).reason == "revoked"


def test_a_revocation_list_that_cannot_be_asked_lets_nobody_in(make, make_token):
    def unreachable(claims):
        raise ConnectionError("no route")

    failure = rejected(make(revoked=unreachable), scope(make_token()))
    assert (failure.reason, failure.close_code) == ("revocation_unavailable", 1011)


def test_failures_of_one_address_are_bounded_and_do_not_touch_another(make, make_token):
    authenticator = make(failures=FailureLimiter(3, 60))
    for _ in range(3):
        assert rejected(authenticator, scope(make_token("o" * 48))).reason == "signature"
    blocked = rejected(authenticator, scope(make_token("o" * 48)))
    assert (blocked.reason, blocked.close_code) == ("rate_limited", 4429)
    elsewhere = rejected(authenticator, scope(make_token("o" * 48), address="198.51.100.1"))
    assert elsewhere.reason == "signature"


def test_a_token_that_holds_is_let_in_from_an_address_that_others_have_failed_from(make, make_token):
    authenticator = make(failures=FailureLimiter(1, 60))
    for _ in range(5):
        rejected(authenticator, scope(make_token("o" * 48)))
    assert asyncio.run(authenticator.authenticate(scope(make_token()))).user_id == "user_1"
    assert asyncio.run(authenticator.authenticate_message(json.dumps({"type": "auth", "token": make_token()}), "203.0.113.7"))
    assert len(authenticator.failures) == 1


def test_what_others_can_cause_in_a_browser_locks_nobody_out(make, make_token):
    authenticator = make(failures=FailureLimiter(1, 60))
    for attempt, reason in (
        (scope(make_token(), origin="https://evil.example"), "origin"),
        (scope(query=b"token=x"), "token_in_url"),
        (scope(make_token(exp=1)), "expired"),
    ):
        assert rejected(authenticator, attempt).reason == reason
    assert asyncio.run(authenticator.authenticate(scope(make_token()))).user_id == "user_1"


def test_keys_rotate_while_connections_come(make, make_token, secret):
    authenticator = make()
    authenticator.keys = KeySet.shared_secret("n" * 48, secret)
    assert asyncio.run(authenticator.verify(make_token())).user_id == "user_1"
    assert asyncio.run(authenticator.verify(make_token("n" * 48))).user_id == "user_1"
    authenticator.keys = KeySet.shared_secret("n" * 48)
    with pytest.raises(AuthenticationFailed, match="the signature does not match"):
        asyncio.run(authenticator.verify(make_token()))


def test_without_keys_nobody_comes_in(make_token):
    assert rejected(Authenticator(), scope(make_token(), origin=None)).reason == "unknown_key"


def test_variables_configure_it(make_token, secret):
    variables = {
        "JWT_SECRET_KEY": "n" * 48,
        "JWT_SECRET_KEY_PREVIOUS": secret,
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "netra",
        "ALLOWED_ORIGINS": "https://a.example, https://b.example",
    }
    authenticator = get_authenticator(variables)
    assert asyncio.run(authenticator.verify(make_token())).user_id == "user_1"
    assert authenticator.origins.allows("https://b.example")
    assert not authenticator.origins.allows("https://c.example")
    assert len(get_authenticator({}).keys) == 0


def test_offered_subprotocols_are_read_from_the_scope_where_the_header_is_not():
    assert Handshake.from_scope({"subprotocols": ["jwt", "chat"]}).accepted_protocol == "jwt"


def test_the_peer_is_where_the_nearest_proxy_that_is_not_trusted_says():
    def address(client, forwarded, trusted):
        headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
        return Handshake.from_scope({"client": (client, 1), "headers": headers}, trusted).address

    trusted = ["10.0.0.0/8", "2001:db8::1"]
    assert address("10.1.2.3", "203.0.113.7", trusted) == "203.0.113.7"
    assert address("10.1.2.3", "1.1.1.1, 203.0.113.7, 10.9.9.9", trusted) == "203.0.113.7"
    assert address("2001:db8::1", "2001:db8::2", trusted) == "2001:db8::2"
    assert address("192.0.2.1", "203.0.113.7", trusted) == "192.0.2.1"  # anybody can write the header
    assert address("10.1.2.3", "", trusted) == "10.1.2.3"
    assert address("10.1.2.3", "10.5.5.5", trusted) == "10.5.5.5"
    assert address("10.1.2.3", "203.0.113.7", []) == "10.1.2.3"
    assert address("10.1.2.3", "unknown, 10.4.4.4", trusted) == "unknown"


@pytest.mark.parametrize(
    ("offered", "answer"),
    [
        ("jwt.{token}", "jwt.{token}"),
        ("jwt, jwt.{token}", "jwt"),
        ("app.v1, bearer.{token}", "app.v1"),
        ("bearer.{token}, app.v2, jwt-auth", "jwt-auth"),
        ("staging-auth.{token}", None),
        ("", None),
    ],
)
def test_a_plain_subprotocol_is_answered_with_before_one_that_carries_the_token(make_token, offered, answer):
    token = make_token()
    header = (b"sec-websocket-protocol", offered.format(token=token).encode())
    accepted = Handshake.from_scope({"headers": [header]}).accepted_protocol
    assert accepted == (answer and answer.format(token=token))
