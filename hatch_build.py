"""Has a wheel carry the drop-in's start module beside the package too; ``force-include`` would take it out of the package."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StartModule(BuildHookInterface):
    """Copies ``compat/boot/start.py`` for the length of a build, because a wheel takes each file of the project once."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.folder = tempfile.mkdtemp()
        copy = shutil.copy(os.path.join(self.root, "compat", "boot", "start.py"), self.folder)
        build_data["force_include"][copy] = "netra_compat_start.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self.folder)
