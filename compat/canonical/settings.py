"""Server settings: one frozen object, read from explicit variables, refusing what is unsafe in production."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from .errors import SettingsError
from .limits import Limits, OverflowPolicy

ENVIRONMENTS = ("local", "test", "staging", "production")
_SHORTEST_SECRET = 32
_PREFIX = "COMPAT_WS_"


@dataclass(frozen=True)
class Settings:
    """Server settings; times in seconds.

    Secrets and ``redis_url`` never show in ``repr``. Raises SettingsError, with every fault, for values that
    contradict each other, and in staging and production for what is unsafe.
    """

    environment: str = "local"
    host: str = "127.0.0.1"
    port: int = 8000
    path: str = "/ws"
    jwt_secret: str = field(default="", repr=False)
    jwt_secret_previous: str = field(default="", repr=False)
    jwt_jwks: str = field(default="", repr=False)
    jwt_algorithms: tuple[str, ...] = ()
    jwt_issuer: str = ""
    jwt_audience: str = ""
    allowed_origins: tuple[str, ...] = ()
    first_message_auth: bool = True
    redis_url: str = field(default="", repr=False)
    redis_prefix: str = "compat"
    heartbeat_interval: float = 20.0
    heartbeat_timeout: float = 20.0
    handshake_timeout: float = 10.0
    max_message_bytes: int = 65_536
    messages_per_minute: int = 1200
    malformed_limit: int = 10
    waiting_messages: int = 16
    drain_timeout: float = 10.0
    internal_token: str = field(default="", repr=False)
    broadcast_token: str = field(default="", repr=False)
    trusted_proxies: tuple[str, ...] = ()
    failure_limit: int = 20
    failure_window: float = 60.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError(faults)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, **changes: Any) -> Settings:
        """Read variables; ``changes`` win over them.

        Every field has the variable ``COMPAT_WS_<FIELD>``, the bounds ``COMPAT_WS_LIMIT_<FIELD>``; lists are comma
        separated. Also read, as elsewhere in the system: ENVIRONMENT, JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS, JWT_JWKS,
        JWT_ALGORITHMS, JWT_ISSUER, JWT_AUDIENCE, ALLOWED_ORIGINS, REDIS_URL.
        """
        env = os.environ if environ is None else environ
        faults: list[str] = []
        values: dict[str, Any] = {}
        for item in fields(cls):
            if item.name not in ("limits", "environment"):
                names = (_PREFIX + item.name.upper(), *_SHARED.get(item.name, ()))
                _read(env, names, item.name, type(item.default), values, faults)
        bounds: dict[str, Any] = {}
        for item in fields(Limits):
            kind = type(item.default)
            _read(env, (f"{_PREFIX}LIMIT_{item.name.upper()}",), item.name, kind, bounds, faults)
        if "environment" not in changes:
            from .deployment import detect_environment

            values["environment"] = detect_environment(env)
        if faults:
            raise SettingsError(faults)
        values["limits"] = Limits(**bounds)
        values.update(changes)
        return cls(**values)

    @property
    def is_exposed(self) -> bool:
        """Whether strangers may reach it."""
        return self.environment in ("staging", "production")

    def auth_variables(self) -> dict[str, str]:
        """Return the variables that configure the authenticator."""
        return {
            "JWT_SECRET_KEY": self.jwt_secret,
            "JWT_SECRET_KEY_PREVIOUS": self.jwt_secret_previous,
            "JWT_JWKS": self.jwt_jwks,
            "JWT_ALGORITHMS": ",".join(self.jwt_algorithms),
            "JWT_ISSUER": self.jwt_issuer,
            "JWT_AUDIENCE": self.jwt_audience,
            "ALLOWED_ORIGINS": ",".join(self.allowed_origins),
        }

    def _faults(self) -> Any:
        if self.environment not in ENVIRONMENTS:
            yield f"environment is {self.environment!r}; choose one of {', '.join(ENVIRONMENTS)}"
        if not self.path.startswith("/"):
            yield f"path is {self.path!r}; it must begin with '/'"
        if not 0 <= self.port <= 65535:
            yield f"port is {self.port}; it must lie between 0 and 65535"
        for name in (
            "heartbeat_interval",
            "heartbeat_timeout",
            "handshake_timeout",
            "max_message_bytes",
            "messages_per_minute",
            "malformed_limit",
            "waiting_messages",
            "drain_timeout",
            "failure_window",
        ):
            if not 0 < getattr(self, name) < math.inf:
                yield f"{name} is {getattr(self, name)!r}; it must be greater than 0"
        if self.failure_limit < 0:
            yield f"failure_limit is {self.failure_limit}; it must not be negative (0 sets no limit)"
        for name in ("internal_token", "broadcast_token"):
            token = getattr(self, name)
            if not token.isascii() or not token.isprintable() or token != token.strip():
                yield f"{name} holds what no HTTP header carries; use visible ASCII characters"
        if self.broadcast_token and self.broadcast_token == self.internal_token:
            yield "broadcast_token is internal_token; who may send to one user must not reach all by it: use another"
        yield from _url_faults(self.redis_url)
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                yield f"trusted_proxies has {proxy!r}; give addresses or networks such as 10.0.0.0/8"
        for name, secrets in (("JWT_SECRET_KEY", self.jwt_secret), ("JWT_SECRET_KEY_PREVIOUS", self.jwt_secret_previous)):
            if any(len(secret.strip().encode()) < _SHORTEST_SECRET for secret in secrets.split(",") if secret.strip()):
                yield f"{name} is shorter than {_SHORTEST_SECRET} bytes"
        if self.is_exposed:
            if not self.jwt_secret and not self.jwt_jwks:
                yield f"{self.environment} needs JWT_SECRET_KEY or JWT_JWKS: without keys nobody can be let in"
            if not self.jwt_audience:
                yield f"{self.environment} needs JWT_AUDIENCE: a token for another service must not open this one"
            if "*" in self.allowed_origins:
                yield "ALLOWED_ORIGINS contains '*'; list the origins of your pages"


def _url_faults(url: str) -> Iterator[str]:
    # The URL itself is never shown: it may hold a password.
    if not url:
        return
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018
    except ValueError as exc:
        yield f"REDIS_URL cannot be used: {exc}"
        return
    if parts.scheme not in ("redis", "rediss", "unix"):
        yield "REDIS_URL must begin with redis://, rediss:// or unix://"
    elif parts.scheme != "unix" and not parts.hostname:
        yield "REDIS_URL names no host"


_SHARED = {
    "jwt_secret": ("JWT_SECRET_KEY",),
    "jwt_secret_previous": ("JWT_SECRET_KEY_PREVIOUS",),
    "jwt_jwks": ("JWT_JWKS",),
    "jwt_algorithms": ("JWT_ALGORITHMS",),
    "jwt_issuer": ("JWT_ISSUER",),
    "jwt_audience": ("JWT_AUDIENCE",),
    "allowed_origins": ("ALLOWED_ORIGINS",),
    "redis_url": ("REDIS_URL",),
}
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")


def _read(
    env: Mapping[str, str],
    names: tuple[str, ...],
    field_name: str,
    kind: type,
    values: dict[str, Any],
    faults: list[str],
) -> None:
    """Put the value of the first variable that is set; two that differ are a fault."""
    present = [(name, env[name]) for name in names if env.get(name, "").strip()]
    if not present:
        return
    if len({text for _, text in present}) > 1:
        faults.append(f"{' and '.join(name for name, _ in present)} differ; set one of them")
        return
    name, text = present[0]
    try:
        values[field_name] = _convert(text.strip(), kind)
    except ValueError:
        faults.append(f"{name} is {text!r}; it must be {_KINDS.get(kind, kind.__name__)}")


def _convert(text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in _TRUE + _FALSE:
            raise ValueError(text)
        return text.lower() in _TRUE
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return kind(text)


_KINDS = {
    bool: "one of 1, 0, true, false, yes, no, on, off",
    int: "a whole number",
    float: "a number of seconds",
    OverflowPolicy: "drop_oldest or close",
}
