"""What calls of functions that exist for old code only become: expressions that do what their advice says, by canonical path.

They do less than the functions (which watch an isolated environment, check ids, or make ids of a certain form), so that
``compat fix`` takes them for likely only.
"""

from __future__ import annotations

from compat.ledger import Move

_TYPES, _IDS, _ENVIRONMENT = (
    "compat.netra.components.types",
    "compat.netra.components.ids.id_manager",
    "compat.netra.components.environment",
)
_READ = ("os.environ.get({key}, {default})", "import os", "key, default=None")
_CHECKED = ("{value}", "", "value")
_MADE = ("uuid.uuid4().hex", "import uuid", "")

#: Canonical path -> the expression, its import, its parameters.
CODE: dict[str, tuple[str, str, str]] = {
    f"{_ENVIRONMENT}:get_env_var": _READ,
    f"{_ENVIRONMENT}:getenv": _READ,
    **{f"{_TYPES}:ensure_{kind}_id": _CHECKED for kind in ("user", "thread", "run", "request", "session", "connection")},
    **{
        f"{_IDS}:generate_{kind}_id": _MADE
        for kind in ("user", "session", "request", "agent", "websocket", "execution", "thread")
    },
    "compat.netra.components.auth.websocket_auth:get_unified_auth_service": (
        "get_authenticator()",
        "from compat.canonical.auth import get_authenticator",
        "",
    ),
}


def coded(row: Move) -> Move:
    """A row with its replacement as code, where there is one."""
    if row.place != "name" or row.adapter or row.canonical not in CODE:
        return row
    expression, imported, parameters = CODE[row.canonical]
    return row.replace(replacement=expression, imports=(imported,) if imported else (), parameters=parameters)
