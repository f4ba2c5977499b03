"""Starts the drop-in in a frozen program: no .pth file of it is ever read."""

import compat.auto  # noqa: F401
