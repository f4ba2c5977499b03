"""Users for tests: an ID, an address, permissions and a signed token."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Optional

from ..components.environment import get_env

#: Signs test tokens where no JWT_SECRET_KEY is set; nobody but tests trusts it.
TEST_SECRET = "test-only-secret-that-signs-nothing-of-value"


@dataclass
class TestUser:
    """A user of one test."""

    __test__ = False

    user_id: str
    email: str
    full_name: str
    jwt_token: str
    permissions: list[str] = field(default_factory=lambda: ["read", "write"])
    created_at: float = field(default_factory=time.time)
    is_test_user: bool = True

    @property
    def token(self) -> str:
        """The signed token."""
        return self.jwt_token

    def get(self, key: str, default: Any = None) -> Any:
        """Read a field as from a dictionary."""
        return getattr(self, key, default)

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None


def create_test_jwt_token(
    user_id: str,
    email: Optional[str] = None,
    permissions: Optional[list[str]] = None,
    exp_minutes: float = 30,
    secret: Optional[str] = None,
) -> str:
    """Return an HS256 token of a user, signed with ``secret``, else JWT_SECRET_KEY, else :data:`TEST_SECRET`."""
    try:
        import jwt
    except ImportError as error:
        raise ImportError("signed test tokens need PyJWT: pip install 'netra-compat[server]'") from error
    now = int(time.time())
    claims = {
        "sub": user_id,
        "email": email or f"{user_id}@example.com",
        "permissions": permissions if permissions is not None else ["read", "write"],
        "iat": now,
        "exp": now + int(exp_minutes * 60),
        "type": "access",
        "iss": "netra-auth-service",
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, secret or get_env().get("JWT_SECRET_KEY") or TEST_SECRET, algorithm="HS256")


def create_test_user(
    user_id: Optional[str] = None,
    email: Optional[str] = None,
    full_name: str = "Test User",
    permissions: Optional[list[str]] = None,
    exp_minutes: float = 30,
    **_ignored: Any,
) -> TestUser:
    """Return a user with a token of their own."""
    user_id = user_id or str(uuid.uuid4())
    email = email or f"{user_id}@example.com"
    granted = permissions if permissions is not None else ["read", "write"]
    token = create_test_jwt_token(user_id, email, granted, exp_minutes)
    return TestUser(user_id, email, full_name, token, list(granted))
