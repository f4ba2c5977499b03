"""Names that callers replace in the manager's module: looked up here at each use, so that a replaced one is used."""

from __future__ import annotations

import asyncio as asyncio
import time as time

from compat.netra.components.types import ensure_user_id as ensure_user_id
