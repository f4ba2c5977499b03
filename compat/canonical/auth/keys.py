"""Keys that verify tokens: each bound to its algorithms, so that a public key can never serve as an HMAC secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: Bytes an HMAC secret must have (RFC 7518, 3.2: at least the size of the hash).
HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",), "secp256k1": ("ES256K",)}
#: How many keys one token is tried with, at most.
MAX_CANDIDATES = 8


class KeyMaterialError(ValueError):
    """A key cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Key:
    """One verification key.

    ``material`` is what PyJWT takes: a secret, a PEM text, or one JWK as a dict. ``algorithms`` are the only ones it
    may verify. ``kid`` is matched with the header's where both are given.
    """

    material: Any = field(repr=False)
    algorithms: tuple[str, ...]
    kid: str | None = None

    def __post_init__(self) -> None:
        if not self.algorithms:
            raise KeyMaterialError("a key needs at least one algorithm")
        symmetric = [name for name in self.algorithms if name.startswith("HS")]
        if symmetric and len(symmetric) != len(self.algorithms):
            raise KeyMaterialError(f"one key cannot be both secret and public: {', '.join(self.algorithms)}")
        if "none" in (name.lower() for name in self.algorithms):
            raise KeyMaterialError("algorithm 'none' verifies nothing and is refused")

    @cached_property
    def resolved(self) -> Any:
        """The key object that PyJWT verifies with; built once."""
        if not isinstance(self.material, dict):
            return self.material
        jwt = import_jwt()
        try:
            return jwt.PyJWK.from_dict(self.material, algorithm=self.algorithms[0]).key
        except Exception as error:
            raise KeyMaterialError(f"JWK {self.kid or '(no kid)'!r} cannot be used: {error}") from error


class KeySet:
    """An immutable set of keys; rotation replaces the set, and an old key stays in it until its tokens have expired."""

    __slots__ = ("keys",)

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.keys = tuple(keys)

    @classmethod
    def shared_secret(cls, secret: str | bytes, *previous: str | bytes, algorithm: str = "HS256") -> KeySet:
        """Return the set of one HMAC secret, and of those it replaces; each must be as long as the hash."""
        needed = HMAC_BYTES.get(algorithm)
        if needed is None:
            raise KeyMaterialError(f"{algorithm!r} takes no shared secret; use one of {', '.join(HMAC_BYTES)}")
        keys = []
        for number, item in enumerate((secret, *previous)):
            raw = item.encode() if isinstance(item, str) else bytes(item)
            if len(raw) < needed:
                which = "the secret" if number == 0 else f"previous secret {number}"
                raise KeyMaterialError(
                    f"{which} has {len(raw)} bytes; {algorithm} needs at least {needed}, "
                    "e.g. python -c 'import secrets; print(secrets.token_urlsafe(64))'"
                )
            keys.append(Key(raw, (algorithm,)))
        return cls(keys)

    @classmethod
    def public_pem(cls, pem: str | bytes, algorithms: Iterable[str] = ("RS256",), kid: str | None = None) -> KeySet:
        """Return the set of one public key in PEM form."""
        names = tuple(algorithms)
        if any(name.startswith("HS") for name in names):
            raise KeyMaterialError("a public key in PEM form cannot verify an HMAC; list RS, PS, ES or EdDSA algorithms")
        return cls([Key(pem, names, kid)])

    @classmethod
    def jwks(cls, document: Mapping[str, Any] | str | bytes) -> KeySet:
        """Return the keys of a JSON Web Key Set, given as data; keys for encryption and unknown types are left out."""
        data = json.loads(document) if isinstance(document, (str, bytes)) else document
        entries = data.get("keys") if isinstance(data, Mapping) else None
        if not isinstance(entries, list):
            raise KeyMaterialError("a JSON Web Key Set is an object with a list under 'keys'")
        keys = []
        for entry in entries:
            algorithms = _algorithms_of(entry) if isinstance(entry, Mapping) else ()
            if algorithms:
                keys.append(Key(dict(entry), algorithms, entry.get("kid")))
        if not keys:
            raise KeyMaterialError("the JSON Web Key Set holds no key that verifies signatures")
        return cls(keys)

    def candidates(self, algorithm: str, kid: str | None) -> tuple[Key, ...]:
        """Return the keys that may verify a token with this header, the best match first."""
        usable = [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid in (None, kid))]
        usable.sort(key=lambda key: key.kid is None)
        return tuple(usable[:MAX_CANDIDATES])

    def __add__(self, other: KeySet) -> KeySet:
        return KeySet((*self.keys, *other.keys))

    def __len__(self) -> int:
        return len(self.keys)


def _algorithms_of(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        return ()
    kind = jwk.get("kty")
    if kind == "RSA":
        family: tuple[str, ...] = _RSA
    elif kind == "EC":
        family = _EC.get(str(jwk.get("crv")), ())
    elif kind == "OKP":
        family = ("EdDSA",)
    elif kind == "oct":
        size = len(str(jwk.get("k", ""))) * 3 // 4
        family = tuple(name for name, needed in HMAC_BYTES.items() if size >= needed)
        if not family:
            raise KeyMaterialError(f"JWK {jwk.get('kid')!r} is a secret of {size} bytes; HS256 needs at least 32")
    else:
        return ()
    stated = jwk.get("alg")
    return family if stated is None else tuple(name for name in family if name == stated)


def import_jwt() -> Any:
    """Return the PyJWT module, or say which extra installs it."""
    try:
        import jwt
    except ImportError as error:
        raise ImportError("verifying tokens needs PyJWT: pip install 'netra-compat[server]'") from error
    return jwt
