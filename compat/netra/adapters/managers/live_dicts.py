"""Dictionaries and locks that legacy code reads off a manager: copies of the canonical state that write through to it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any

from .user_managers import Scope

QUEUE_LIMIT = 1000


class View(dict):  # type: ignore[type-arg]
    """What ``read()`` says now: it is asked again when ``version()`` has changed.

    Setting and deleting items goes through ``put(key, value)`` and ``drop(key)``; a value that ``put`` does not take is kept
    here, beside what ``read()`` says. A dict, for legacy code asks whether it is.
    """

    def __init__(
        self,
        read: Callable[[], dict[Any, Any]],
        version: Callable[[], Any],
        put: Callable[[Any, Any], bool],
        drop: Callable[[Any], None],
    ) -> None:
        super().__init__(read())
        self._read, self._version, self._put, self._drop = read, version, put, drop
        self._seen = version()
        self.beside: dict[Any, Any] = {}

    def fresh(self) -> View:
        """The view itself, up to date."""
        now = self._version()
        if now != self._seen:
            super().clear()
            super().update({**self.beside, **self._read()})
            self._seen = now
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._put(key, value):
            self.beside.pop(key, None)
            self._seen = None
        else:
            self._drop(key)
            self.beside[key] = value
            super().__setitem__(key, value)
        self.fresh()

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        self._forget(key)

    def drop_beside(self) -> None:
        """Forget what is kept beside."""
        self.beside.clear()
        self._seen = None

    def _forget(self, key: Any) -> None:
        if key in self.beside:
            del self.beside[key]
        else:
            self._drop(key)
        self._seen = None
        self.fresh()

    def pop(self, key: Any, *default: Any) -> Any:
        """As ``dict.pop``, written through."""
        if key not in self:
            return {}.pop(key, *default)
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """As ``dict.clear``, written through."""
        for key in list(self):
            self._forget(key)

    def update(self, *others: Any, **named: Any) -> None:
        """As ``dict.update``, written through."""
        for key, value in dict(*others, **named).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """As ``dict.setdefault``, written through."""
        if key not in self:
            self[key] = default
        return self[key]

    def __reduce__(self) -> Any:
        return dict, (dict(self.fresh().items()),)


def _asking(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    @functools.wraps(plain)
    def ask(self: View, *args: Any) -> Any:
        return plain(self.fresh(), *args)

    return ask


_READERS = ("__getitem__", "__contains__", "__len__", "__iter__", "__eq__", "__ne__", "__repr__")
for _name in (*_READERS, "get", "keys", "values", "items", "copy"):
    setattr(View, _name, _asking(_name))


class Views:
    """The dictionaries of a manager's connections: by id, their ids by user, and their records by user.

    Parameters
    ----------
    attach, detach:
        Take a connection in; take one out, of a user where given.
    """

    def __init__(self, attach: Callable[[Any], None], detach: Callable[..., Any], scope: Scope) -> None:
        def by_user(read: Callable[[str], Any]) -> Callable[[], dict[Any, Any]]:
            return lambda: {user: read(user) for user in scope.users()}

        def only_drop(user: str) -> None:
            self._keep_only(user, ())

        self._attach, self._detach, self._scope = attach, detach, scope
        self.by_id = View(scope.records, scope.version, self._put, detach)
        self.ids = View(by_user(scope.ids_of), scope.version, self._put_ids, only_drop)
        self.records = View(by_user(scope.records_of), scope.version, self._replace, only_drop)

    def drop_beside(self) -> None:
        """Forget what is kept beside the connections."""
        for view in (self.by_id, self.ids, self.records):
            view.drop_beside()

    def set_ids(self, wanted: Mapping[str, Any]) -> None:
        """Make the ids by user those of ``wanted``: connections that it does not name go."""
        for user in self._scope.users():
            self._keep_only(user, wanted.get(user, ()))
        self.ids.drop_beside()
        view = self.ids.fresh()
        view.update({user: ids for user, ids in wanted.items() if user not in view})

    def set_records(self, wanted: Mapping[str, Any]) -> None:
        """Make the records by user those of ``wanted``: connections of users that it does not name go."""
        for user in set(self._scope.users()) - set(wanted):
            self._keep_only(user, ())
        self.records.drop_beside()
        self.records.fresh().update(wanted)

    # What each view does with a value that is set: False for one that is no connection, which the view then keeps itself.

    def _put(self, connection_id: str, record: Any) -> bool:
        if not _is_connection(record):
            return False
        if record.connection_id != connection_id:
            record.connection_id = connection_id
        self._attach(record)
        return True

    def _put_ids(self, user: str, wanted: Any) -> bool:
        known = self._scope.ids_of(user)
        if not known or not isinstance(wanted, (set, frozenset, list, tuple)) or not known.issuperset(wanted):
            return False
        self._keep_only(user, wanted)
        return True

    def _replace(self, user: str, records: Any) -> bool:
        if not isinstance(records, (list, tuple)) or not all(map(_is_connection, records)):
            return False
        if not records and not self._scope.ids_of(user):
            return False
        self._keep_only(user, ())
        for record in records:
            self._attach(record)
        return True

    def _keep_only(self, user: str, wanted: Any) -> None:
        for connection_id in self._scope.ids_of(user) - set(wanted):
            self._detach(connection_id, user)


def _is_connection(value: Any) -> bool:
    ids = (getattr(value, "connection_id", None), getattr(value, "user_id", None))
    return hasattr(value, "websocket") and all(isinstance(one, str) and one for one in ids)


class UserQueues(dict):  # type: ignore[type-arg]
    """A user's event queue, made when it is asked for."""

    def __getitem__(self, user: str) -> Any:
        found = super().__getitem__(user)
        if found is None:
            found = self[user] = asyncio.Queue(maxsize=QUEUE_LIMIT)
        return found
