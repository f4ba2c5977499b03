"""One source of settings: an application and get_websocket_manager() share a factory, or the start says what differs."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

pytest.importorskip("starlette", reason="starlette is in the server extra")
pytest.importorskip("jwt", reason="PyJWT is in the server extra")

from compat.canonical import (
    Limits,
    Settings,
    SettingsError,
    WebSocketComponentError,
    WebSocketManagerFactory,
    create_app,
    get_websocket_manager,
    get_websocket_manager_factory,
)

SECRET = "a secret of at least thirty-two bytes"
USER = SimpleNamespace(user_id="u", thread_id=None)


def settings(**changes) -> Settings:
    return Settings(jwt_secret=SECRET, environment="test", **changes)


def test_what_the_process_emits_reaches_the_clients_of_the_application(running, client_of) -> None:
    async def run() -> None:
        async with running(limits=Limits(history_events=7)) as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            await get_websocket_manager(USER).emit("agent_started")
            assert (await client.hear())["type"] == "agent_started"
            assert get_websocket_manager_factory().limits.history_events == 7

    asyncio.run(run())


def test_a_later_application_takes_the_place_of_one_that_nobody_uses() -> None:
    create_app(settings(limits=Limits(managers=3)))
    app = create_app(settings(limits=Limits(managers=4)))
    assert get_websocket_manager(USER).factory is app.state.service.factory


def test_an_application_takes_the_factory_that_is_there_and_its_limits_with_it() -> None:
    factory = WebSocketManagerFactory(Limits(managers=3))
    app = create_app(settings(), factory=factory)
    assert app.state.service.settings.limits.managers == 3
    assert get_websocket_manager(USER).factory is factory
    assert create_app(settings()).state.service.factory is factory


def test_limits_and_redis_that_would_be_ignored_are_refused_with_every_fault() -> None:
    held = get_websocket_manager_factory()
    with pytest.raises(SettingsError) as caught:
        create_app(settings(redis_url="redis://localhost/0", limits=Limits(managers=3, send_timeout=1.0)), factory=held)
    remedy = "make the application first, or the factory as the settings say"
    assert caught.value.faults == (
        f"limits.managers is 3, but 100000 in the factory that is in use; {remedy}",
        f"limits.send_timeout is 1.0, but 10.0 in the factory that is in use; {remedy}",
        f"redis_url is set, but the factory that is in use has no Redis; {remedy}",
    )
    with pytest.raises(SettingsError):
        create_app(settings(limits=Limits(managers=3)))


def test_managers_made_before_the_application_stay_its_own() -> None:
    manager = get_websocket_manager(USER)
    assert create_app(settings()).state.service.factory is manager.factory


def test_another_redis_than_the_factorys_is_refused_and_neither_is_shown() -> None:
    create_app(settings(redis_url="redis://:one-password@localhost/0"))
    get_websocket_manager_factory()
    with pytest.raises(SettingsError, match="the factory that is in use has another one") as caught:
        create_app(settings(redis_url="redis://:two-password@localhost/1"))
    assert "password" not in str(caught.value)


def test_two_factories_on_purpose_are_possible_and_said_once(caplog) -> None:
    get_websocket_manager(USER)
    own = WebSocketManagerFactory()
    assert create_app(settings(), factory=own).state.service.factory is own
    assert [record.getMessage() for record in caplog.records] == [
        "get_websocket_manager() asks another factory than this application's: pass factory= to it, too"
    ]


def test_a_handler_that_cannot_be_called_is_refused_when_the_application_is_made() -> None:
    with pytest.raises(TypeError, match=r"on_message is 'echo'; give a function of \(manager, connection, message\)"):
        create_app(settings(), on_message="echo")


def test_a_key_that_cannot_be_used_is_a_fault_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="a JSON Web Key Set is an object with a list under 'keys'"):
        create_app(Settings(jwt_jwks="{}"))
    with pytest.raises(SettingsError):
        create_app(Settings(jwt_jwks="{broken"))


def test_a_backplane_that_is_closed_or_not_started_says_which(redis_server) -> None:
    pytest.importorskip("redis", reason="redis is in the server extra")
    from compat.canonical.errors import BackplaneUnavailable

    factory = redis_server.worker()

    async def run() -> None:
        manager = factory.get(USER)
        with pytest.raises(BackplaneUnavailable, match=r"not started; call `await factory.start\(\)` first"):
            await manager.send({"type": "note"})
        await factory.start()
        await factory.close()
        with pytest.raises(BackplaneUnavailable, match="the Redis backplane is closed: this process drains, or has done so"):
            await factory.get(USER).send({"type": "note"})

    redis_server.run(run())


def test_another_loop_than_asyncios_is_refused_by_name() -> None:
    starting = create_app(settings()).state.service.start()
    with pytest.raises(WebSocketComponentError, match="the core runs on asyncio alone; trio is not supported"):
        starting.send(None)
