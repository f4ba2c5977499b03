"""What an installation puts at the root of site-packages: the package, its metadata and its start files, nothing else."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import compat.boot


def test_nothing_else_of_this_distribution_stands_beside_the_packages_of_others():
    distribution = metadata.distribution("netra-compat")
    info = f"netra_compat-{distribution.version}.dist-info"
    roots = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    # An editable installation names the checkout instead of holding the package.
    assert {"compat" if root == "_editable_impl_netra_compat.pth" else root for root in roots} == {
        "compat",
        info,
        "netra_compat.pth",
        "netra_compat_start.py",
    }
    beside = {file.name for file in distribution.files or () if file.parts[0] == "__pycache__"}
    assert {name.partition(".")[0] for name in beside} <= {"netra_compat_start"}


def test_the_start_module_that_is_installed_is_that_of_the_package():
    installed = metadata.distribution("netra-compat").locate_file("netra_compat_start.py")
    own = Path(compat.boot.__file__).with_name("start.py")
    assert Path(str(installed)).read_text(encoding="utf-8") == own.read_text(encoding="utf-8"), "install the project again"
