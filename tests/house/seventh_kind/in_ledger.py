"""Constant: a constant became a function, which is to be called."""

from __future__ import annotations

from compat.ledger.move import Move


class Constant(Move):
    """A constant became a function; old code gets what the function returns."""

    kind = "constant"
    meaning = "A constant that became a function is read."
    differs = "is a function now"
    needs_attribute = True
    __slots__ = ("unit",)

    def __init__(self, legacy, canonical, *, unit="", since, removal, instead=None, note="", id=""):
        super().__init__(legacy, canonical, since=since, removal=removal, instead=instead, note=note, id=id)
        object.__setattr__(self, "unit", unit)

    def subject(self, use):
        """A constant is read, however it is imported."""
        return f"Reading constant {self.attribute} of '{self.module}'"

    def advice(self):
        """The call."""
        return f"Call {self.canonical.replace(':', '.')}() instead."

    def faults(self):
        """A unit is one word."""
        yield from super().faults()
        if " " in self.unit:
            yield f"unit {self.unit!r} is not one word", "write one such as unit='seconds'"

    def target_faults(self, target):
        """There must be something to call."""
        if not callable(target):
            yield f"{self.canonical!r} is not callable", "name a function, or use Name(...)"

    def stub(self, name, said):
        """A plain value."""
        return f"# {said}\n{name}: Any"
