"""Which user ids a legacy manager takes: the well-formed ones, and those of users who were let in under any other."""

from __future__ import annotations

from typing import Any

from compat.canonical.core import serialization

from . import looked_up
from .user_managers import Scope

FORMS = (
    "It must be a UUID, a word and a number (user_1, test_user_1), words joined by hyphens (test-user-123), an id made by "
    "generate_id() (user_1_9c666592), 15 to 21 digits, or the id of a user whom the canonical server or a context has let in."
)


def user_of(scope: Scope, user_id: Any) -> str:
    """The user that an id names.

    Raises
    ------
    ValueError
        If it is in no accepted form, and nobody of that id was let in.
    """
    if scope.let_in(user_id):
        return str(user_id)
    try:
        # Through the module: tests replace the function there.
        return looked_up.ensure_user_id(user_id)
    except ValueError as error:
        raise ValueError(f"{error}. {FORMS}") from error


def user_or_none(scope: Scope, user_id: Any) -> str | None:
    """The user that an id names; None, and a line in the log, where it names none."""
    try:
        return user_of(scope, user_id)
    except ValueError as error:
        serialization.logger.warning("%s", error)
        return None
