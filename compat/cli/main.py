"""Runs one command line: base commands directly, the rest through click, and says which extra is missing.

Exit codes: 0 all is well; 1 the command found what it looks for (findings, moves that may not go, a failed check);
2 the command line or its input cannot be used; 3 a defect of this package; 130 interrupted.
"""

from __future__ import annotations

import sys

from .table import COMMANDS, DISTRIBUTION, Command, find, help_of, plugged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

OK, FOUND, USAGE, DEFECT, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = find(arguments[0]) if arguments and arguments[0][:1] != "-" else None
    # Where the caller has closed them (`compat scan >&-`), Python leaves None in their place.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        # Names, paths and trends hold characters that a terminal in ASCII or Latin-1 cannot show.
        reconfigure(errors="replace")
    try:
        return _misread(command) or _run(command, arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away (`compat report | head`): what it wanted, it has. Python would complain
        # once more when it flushes stdout at exit.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        return _fail(error, command)


def _misread(command: Command | None) -> int:
    """Refuse a ``COMPAT_AS_OF`` that is not understood: what is judged without it would be taken for the rehearsal."""
    import os

    # `doctor` lists it among what it checks.
    if command is None or command.name == "doctor" or not os.environ.get("COMPAT_AS_OF"):
        return OK
    from compat.ledger.versions import rehearsals

    _, faults = rehearsals()
    for fault in faults:
        sys.stderr.write(f"compat: {fault}\n")
    return USAGE if faults else OK


def _nowhere() -> TextIO:
    import os

    return open(os.devnull, "w", encoding="utf-8")


def _run(command: Command | None, arguments: list[str]) -> int:
    if command is not None and not command.extra:
        target = command.load()
        if not hasattr(target, "make_context"):
            return _helped(command, target, arguments[1:]) if {"-h", "--help"} & {*arguments} else int(target(arguments[1:]))
    try:
        from .group import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        return _without_click(command, arguments)
    return run(arguments)


def _helped(command: Command, target: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Have a command print its help, and print its examples below."""
    from .suggest import examples_of

    try:
        code = int(target(arguments))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else OK
    more = "" if code else examples_of(command.name)
    if more:
        sys.stdout.write(f"\n{more}\n")
    return code


def _without_click(command: Command | None, arguments: list[str]) -> int:
    if command is not None:
        sys.stderr.write(f"{missing_extra(command, 'click')}\n")
        return USAGE
    asked = not arguments or arguments[0] in ("-h", "--help")
    stream = sys.stdout if asked else sys.stderr
    if not asked:
        from .suggest import did_you_mean

        stream.write(f"compat: no such command {arguments[0]!r}.{did_you_mean(arguments[0], COMMANDS)}\n\n")
    stream.write("Usage: compat COMMAND [ARGS]...\n\nCommands:\n")
    for each in COMMANDS.values():
        needs = f"  (needs {DISTRIBUTION}[{each.extra}])" if each.extra else ""
        stream.write(f"  {each.name:<12}{each.help}{needs}\n")
    whose = ""
    for each in plugged().values():
        if f"{each.distribution} {each.version}" != whose:
            whose = f"{each.distribution} {each.version}"
            stream.write(f"\nCommands of {whose}:\n")
        stream.write(f"  {each.name:<12}{help_of(each)}\n")
    return OK if asked else USAGE


def missing_extra(command: Command, package: str) -> str:
    """Say which package a command misses, and what installs it."""
    import os

    if "PRE_COMMIT" in os.environ:
        return (
            f"compat {command.name}: the package {package!r} is not in this hook's environment. "
            f'Add ".[{command.extra or "all"}]" to its additional_dependencies, which replace those that the hook has by itself'
        )
    return (
        f"compat {command.name}: the package {package!r} is not installed. "
        f"Install it with: {sys.executable} -m pip install '{command.distribution}[{command.extra or 'all'}]'"
    )


def _fail(error: Exception, command: Command | None) -> int:
    from compat.errors import CompatError

    if isinstance(error, ModuleNotFoundError) and command is not None and command.extra:
        package = (error.name or "").partition(".")[0]
        if package and package != "compat":
            sys.stderr.write(f"{missing_extra(command, package)}\n")
            return USAGE
    if isinstance(error, (CompatError, OSError)):
        said = str(error)
        if isinstance(error, OSError) and error.filename is not None and error.strerror:
            said = f"{error.filename}: {error.strerror}"
        sys.stderr.write(f"compat: {said}\n")
        return USAGE
    import traceback

    traceback.print_exc()
    name = f" {command.name}" if command is not None else ""
    whose = command.distribution if command is not None else DISTRIBUTION
    sys.stderr.write(f"compat{name}: this is a defect of {whose}; please report it with the lines above.\n")
    return DEFECT
