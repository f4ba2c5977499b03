"""Rehearses each removal on the oldest and the newest Python."""

import os

import compat.nox

compat.nox.rehearsals(
    os.environ.get("NETRA_COMPAT", "netra-compat"),
    "-e",
    ".",
    "pytest",
    pythons=os.environ.get("PYTHONS", "3.9 3.15").split(),
)
