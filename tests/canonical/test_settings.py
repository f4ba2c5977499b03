"""Settings: read from variables, every fault named, unsafe production refused."""

from __future__ import annotations

import dataclasses

import pytest

from compat.canonical.errors import SettingsError
from compat.canonical.limits import OverflowPolicy
from compat.canonical.settings import Settings

SECRET = "a secret of at least thirty-two bytes"
SAFE = {"jwt_secret": SECRET, "jwt_audience": "chat"}


def test_local_settings_need_nothing() -> None:
    settings = Settings()
    assert (settings.environment, settings.path, settings.is_exposed) == ("local", "/ws", False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1


def test_production_refuses_unsafe_defaults_all_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(environment="production", allowed_origins=("*",))
    assert caught.value.faults == (
        "production needs JWT_SECRET_KEY or JWT_JWKS: without keys nobody can be let in",
        "production needs JWT_AUDIENCE: a token for another service must not open this one",
        "ALLOWED_ORIGINS contains '*'; list the origins of your pages",
    )
    assert Settings(environment="production", **SAFE).is_exposed


@pytest.mark.parametrize("environment", ["local", "staging"])
def test_a_secret_that_no_token_could_be_verified_with_is_refused_everywhere(environment) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(environment=environment, jwt_secret="short", jwt_secret_previous=f"{SECRET},short", jwt_audience="chat")
    assert caught.value.faults == (
        "JWT_SECRET_KEY is shorter than 32 bytes",
        "JWT_SECRET_KEY_PREVIOUS is shorter than 32 bytes",
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("redis://host:notaport/0", "REDIS_URL cannot be used: Port could not be cast to integer value as 'notaport'"),
        ("host:6379", "REDIS_URL must begin with redis://, rediss:// or unix://"),
        ("redis://:secret@/0", "REDIS_URL names no host"),
        ("http://host/0", "REDIS_URL must begin with redis://, rediss:// or unix://"),
    ],
)
def test_a_malformed_redis_url_is_refused_without_showing_it(url, fault) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(redis_url=url)
    assert caught.value.faults == (fault,)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("number", ["nan", "inf", "-1"])
def test_times_are_numbers_greater_than_nothing(number) -> None:
    with pytest.raises(SettingsError, match=f"heartbeat_interval is {number}"):
        Settings.from_environ({"COMPAT_WS_HEARTBEAT_INTERVAL": number})
    with pytest.raises(SettingsError, match=f"send_timeout is {number}"):
        Settings.from_environ({"COMPAT_WS_LIMIT_SEND_TIMEOUT": number})


def test_proxies_are_addresses_or_networks() -> None:
    read = Settings.from_environ({"COMPAT_WS_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"})
    assert read.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    with pytest.raises(SettingsError, match="trusted_proxies has 'nginx'; give addresses or networks such as 10.0.0.0/8"):
        Settings(trusted_proxies=("nginx",), failure_limit=0)
    with pytest.raises(SettingsError, match="failure_limit is -1; it must not be negative"):
        Settings(failure_limit=-1)


def test_secrets_do_not_show() -> None:
    text = repr(Settings(redis_url="redis://:password@host/0", **SAFE))
    assert SECRET not in text and "password" not in text


def test_variables_are_read() -> None:
    settings = Settings.from_environ(
        {
            "JWT_SECRET_KEY": SECRET,
            "ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "COMPAT_WS_PORT": "0",
            "COMPAT_WS_FIRST_MESSAGE_AUTH": "no",
            "COMPAT_WS_HEARTBEAT_INTERVAL": "2.5",
            "COMPAT_WS_LIMIT_CONNECTIONS_PER_USER": "3",
            "COMPAT_WS_LIMIT_OVERFLOW": "close",
        },
        environment="test",
        host="::1",
    )
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert (settings.port, settings.host, settings.first_message_auth) == (0, "::1", False)
    assert settings.heartbeat_interval == 2.5
    assert (settings.limits.connections_per_user, settings.limits.overflow) == (3, OverflowPolicy.CLOSE)
    assert settings.auth_variables()["JWT_SECRET_KEY"] == SECRET


def test_contradictions_and_nonsense_are_named_together() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(
            {
                "JWT_SECRET_KEY": "one",
                "COMPAT_WS_JWT_SECRET": "two",
                "COMPAT_WS_PORT": "eighty",
                "COMPAT_WS_FIRST_MESSAGE_AUTH": "perhaps",
                "COMPAT_WS_LIMIT_OVERFLOW": "burst",
            },
            environment="test",
        )
    assert caught.value.faults == (
        "COMPAT_WS_PORT is 'eighty'; it must be a whole number",
        "COMPAT_WS_JWT_SECRET and JWT_SECRET_KEY differ; set one of them",
        "COMPAT_WS_FIRST_MESSAGE_AUTH is 'perhaps'; it must be one of 1, 0, true, false, yes, no, on, off",
        "COMPAT_WS_LIMIT_OVERFLOW is 'burst'; it must be drop_oldest or close",
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"environment": "prod"}, "environment is 'prod'; choose one of local, test, staging, production"),
        ({"path": "ws"}, "path is 'ws'; it must begin with '/'"),
        ({"port": 70000}, "port is 70000; it must lie between 0 and 65535"),
        ({"heartbeat_timeout": 0}, "heartbeat_timeout is 0; it must be greater than 0"),
    ],
)
def test_each_fault_has_its_sentence(changes: dict, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**changes)
    assert str(caught.value) == f"settings cannot be used: {fault}"


def test_the_environment_is_detected_and_a_contradiction_is_refused() -> None:
    assert Settings.from_environ({}).environment == "local"
    assert Settings.from_environ({"ENVIRONMENT": "testing"}).environment == "test"
    with pytest.raises(SettingsError, match="ENVIRONMENT is 'nowhere'"):
        Settings.from_environ({"ENVIRONMENT": "nowhere"})
    with pytest.raises(SettingsError, match="production needs JWT_SECRET_KEY or JWT_JWKS"):
        Settings.from_environ({"ENVIRONMENT": "production"})
