"""Wires that few ledgers need, loaded where a row asks for one (see :mod:`compat.shim.wires`)."""
