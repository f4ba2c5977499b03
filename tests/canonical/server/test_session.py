"""A newer token on a live connection: of the same user, with its own expiry, and refused with a code."""

from __future__ import annotations

import asyncio
import time

import pytest

jwt = pytest.importorskip("jwt", reason="PyJWT is in the server extra")

SECRET = "a secret of at least thirty-two bytes"


def token(user: str = "u", seconds: float = 3600, secret: str = SECRET) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + seconds}, secret, "HS256")


def links(server, seconds: float):
    """A connection whose token has so many seconds."""
    import websockets

    headers = {"Authorization": f"Bearer {token(seconds=seconds)}"}
    return websockets.connect(f"ws://{server.address}/ws", additional_headers=headers)


def test_a_connection_outlives_its_first_token_and_ends_with_the_newer_one(running, client_of) -> None:
    async def run() -> None:
        async with running() as server, links(server, 1.5) as link:
            client = client_of(link)
            hello = await client.hear()
            assert hello["expires_in"] in (0, 1)
            began = time.monotonic()
            await client.say(type="authenticate", token=token(seconds=4), ack=1)
            renewed = await client.hear()
            assert (renewed["type"], renewed["user_id"]) == ("authenticated", "u") and renewed["expires_in"] in (3, 4)
            assert await client.hear() == {"type": "ack", "ack": 1}
            await asyncio.sleep(max(0.0, began + 2.0 - time.monotonic()))
            await client.say(type="ping")
            assert (await client.hear())["type"] == "pong"  # the first token is no more
            assert await client.closed() == (4401, "token has expired; authenticate again")

    asyncio.run(run())


def test_a_newer_token_counts_alone_also_where_it_expires_earlier(running, client_of) -> None:
    async def run() -> None:
        async with running() as server, links(server, 3600) as link:
            client = client_of(link)
            await client.hear()
            await client.say(type="authenticate", token=token(seconds=1))
            assert (await client.hear())["type"] == "authenticated"
            assert (await client.closed())[0] == 4401

    asyncio.run(run())


def test_a_token_that_is_refused_changes_nothing_and_says_why(running, client_of) -> None:
    async def run() -> None:
        async with running(failure_limit=3) as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            before = server.manager()

            async def refused(sent: object, **more: object) -> tuple[str, str]:
                await client.say(type="authenticate", token=sent, ack="a", **more)
                answer = await client.hear()
                assert (answer["type"], answer["ack"]) == ("error", "a")
                return answer["code"], answer["message"]

            wrong = "the token is another user's; open another connection with it"
            assert await refused(token("v")) == ("wrong_user", wrong)
            assert await refused(token(seconds=-5)) == ("unauthorized", "the token has expired")
            for missing in (None, "", 7, ["x"]):
                assert await refused(missing) == ("malformed", "authenticate needs 'token' (string)")
            forged = token(secret="another secret of thirty-two bytes or more")
            assert [(await refused(forged))[0] for _ in range(4)] == [*["unauthorized"] * 3, "rate_limited"]
            assert server.service.authenticator.stats.snapshot()["rejections"] == {
                "expired": 1,
                "signature": 3,
                "rate_limited": 1,
            }
            assert server.manager() is before and len(before.connections) == 1
            await client.say(type="authenticate", token=token())  # a token that holds is no guess
            assert (await client.hear())["type"] == "authenticated"
            await server.manager().send({"type": "note"})
            assert (await client.hear())["seq"] == 1

    asyncio.run(run())


def test_revocation_is_asked_for_a_newer_token_and_its_absence_is_no_refusal(running, client_of) -> None:
    from compat.canonical.auth import Authenticator, KeySet

    answers: list[object] = [False, True, RuntimeError("away")]

    async def revoked(claims) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    async def run() -> None:
        async with running() as server:
            server.service.authenticator = Authenticator(KeySet.shared_secret(SECRET), revoked=revoked)
            async with server.connect() as link:
                client = client_of(link)
                await client.hear()
                codes = []
                for _ in range(2):
                    await client.say(type="authenticate", token=token())
                    codes.append((await client.hear())["code"])
                assert codes == ["unauthorized", "unavailable"]
                await client.say(type="ping")
                assert (await client.hear())["type"] == "pong"

    asyncio.run(run())
