"""A manager's parts, put together."""

from __future__ import annotations

from typing import Any

from compat.netra.components.events.delivery_tracker import EventDeliveryTracker
from compat.shim import Part

from ..user_ids import user_of
from ..user_managers import Scope
from .connections import Connections
from .critical import CriticalEvents
from .isolation import Isolation
from .older import Older
from .part import Face
from .receiving import Receiving
from .reports import Reports
from .sending import Sending


class Parts:
    """Every part of one legacy manager: who needs another is given it."""

    def __init__(self, manager: Face, scope: Scope) -> None:
        self.scope = scope
        self.delivery = EventDeliveryTracker()
        self.isolation = Isolation(manager, scope, self.delivery)
        self.connections = Connections(manager, scope, self.isolation)
        self.sending = Sending(manager, scope, self.isolation)
        self.critical = CriticalEvents(manager, scope)
        self.receiving = Receiving(manager, scope, self.delivery)
        self.reports = Reports(manager, scope)
        self.older = Older(manager, scope, self.reports.tasks)

    def user_of(self, user_id: Any) -> str:
        """The user that an id names. Raises ValueError for one that is refused."""
        return user_of(self.scope, user_id)


#: Where a manager keeps the part whose legacy methods it has.
PARTS: dict[str, type[Part]] = {
    "_parts.isolation": Isolation,
    "_parts.connections": Connections,
    "_parts.sending": Sending,
    "_parts.critical": CriticalEvents,
    "_parts.receiving": Receiving,
    "_parts.reports": Reports,
    "_parts.older": Older,
}
