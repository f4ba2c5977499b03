"""What ``pip`` and ``nox`` are on a page: they install and run nothing, and fail for a name that does not exist.

``pip install -e .`` of a page's own project writes the metadata that makes its entry points known.
"""

from __future__ import annotations

import configparser
import os
import pathlib
import re
import sys
from importlib.metadata import metadata

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = pathlib.Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: What pages install beside this distribution.
OTHERS = {"nox", "pre-commit", "ruff", "mypy", "pyright", "pyinstaller", "gunicorn", "uvicorn"}


def pip(arguments: list[str]) -> None:
    """Check each requirement; make the metadata of an editable project."""
    if arguments[0] != "install":
        raise SystemExit(f"pip {arguments[0]}: only install is known here")
    for argument in arguments[1:]:
        if argument.startswith("-"):
            continue
        name, extras = re.fullmatch(r"([\w.-]+)(?:\[([\w,-]+)\])?(?:[<>=~!][\w.,<>=~!-]*)?", argument).groups()
        if name == "." and "-e" in arguments and pathlib.Path("pyproject.toml").exists():
            install_here()
        elif name in (".", "netra-compat"):
            known = metadata("netra-compat").get_all("Provides-Extra")
            for extra in filter(None, (extras or "").split(",")):
                if extra not in known:
                    raise SystemExit(f"netra-compat has no extra {extra!r}; it has {', '.join(known)}")
        elif name not in OTHERS:
            raise SystemExit(f"{name} is not among what pages install: {', '.join(sorted(OTHERS))}")


def install_here() -> None:
    """Write the metadata of the project in the current directory, as an editable install does."""
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    for stale in pathlib.Path().glob(f"{project['name']}-*.dist-info"):
        for file in stale.iterdir():
            file.unlink()
        stale.rmdir()
    info = pathlib.Path(f"{project['name']}-{project['version']}.dist-info")
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = configparser.ConfigParser(delimiters="=")
    points.optionxform = str  # type: ignore[assignment,method-assign]
    points.read_dict(project.get("entry-points", {}))
    with open(info / "entry_points.txt", "w", encoding="utf-8") as stream:
        points.write(stream)


def nox(arguments: list[str]) -> None:
    """Check that the sessions exist."""
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    known = set(re.findall(r"^def (\w+)\(session", text, flags=re.M)) | set(re.findall(r'session\(name="([\w-]+)"', text))
    own = pathlib.Path("noxfile.py")
    if own.exists() and "compat.nox.rehearsals(" in own.read_text(encoding="utf-8"):
        known.add("rehearse")
    wanted = arguments[arguments.index("-s") + 1 :] if "-s" in arguments else []
    for session in wanted:
        if session == "--":
            break
        if re.sub(r"-(\d.*|pypy3)$", "", session) not in known:
            raise SystemExit(f"the noxfile has no session {session!r}; it has {', '.join(sorted(known))}")


if __name__ == "__main__":
    if sys.argv[1] not in ("pip", "nox") or (sys.argv[1] == "pip" and len(sys.argv) < 3):
        raise SystemExit(f"usage: {os.path.basename(__file__)} pip|nox ARGUMENTS")
    {"pip": pip, "nox": nox}[sys.argv[1]](sys.argv[2:])
