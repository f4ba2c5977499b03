"""The logger of the legacy managers, under the one name by which tests replace it."""

from __future__ import annotations

import logging

logger = logging.getLogger("compat.legacy")
