"""The table of subcommands: the one place where a command line name is bound to the code that serves it.

Other distributions add theirs by the entry-point group ``compat.commands``, with the extras that a command needs::

    [project.entry-points."compat.commands"]
    audit = "shop.audit:command [tools]"
"""

from __future__ import annotations

import sys

from compat import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

DISTRIBUTION = "netra-compat"


class Command:
    """One subcommand.

    Parameters
    ----------
    name:
        What the user types.
    target:
        ``"module:attribute"``: a ``click.Command``, or a function that takes the list of arguments and returns the exit code, and
        runs without click.
    extra:
        The extras of the distribution that install what the command imports; ``""`` runs in the base install.
    help:
        One line for the list of commands.
    distribution, version:
        What declares the command.
    """

    __slots__ = ("distribution", "extra", "help", "name", "target", "version")

    def __init__(
        self, name: str, target: str, extra: str, help: str, distribution: str = DISTRIBUTION, version: str = __version__
    ) -> None:
        self.name, self.target, self.extra, self.help = name, target, extra, help
        self.distribution, self.version = distribution, version

    def load(self) -> Any:
        """Import and return the target."""
        module, _, attribute = self.target.partition(":")
        return getattr(__import__(module, fromlist=[attribute]), attribute)


#: The commands of the package itself.
COMMANDS: Final = {
    command.name: command
    for command in (
        Command("doctor", "compat.cli.commands.doctor:run", "", "Say what is wrong in the set-up, and the remedy."),
        Command("init", "compat.cli.commands.init:run", "", "Begin in a project: a first ledger, or its configuration."),
        Command("ci", "compat.cli.commands.ci:run", "", "Print or write what the project's CI and tools can run."),
        Command("check", "compat.cli.commands.ledgers.check:run", "", "Say what is wrong with the rows of ledgers."),
        Command("scan", "compat.cli.commands.scan:run", "", "Find every legacy use in source files."),
        Command("fix", "compat.cli.commands.fix:command", "tools", "Rewrite legacy uses to their canonical form."),
        Command("compliance", "compat.cli.commands.compliance:command", "tools", "Score a source tree by class of file."),
        Command("report", "compat.cli.commands.report:command", "tools", "Show who still uses what, how much, since when."),
        Command("ready", "compat.cli.commands.ready:command", "tools", "Say for each move whether it may go, and why not."),
        Command("audit", "compat.cli.commands.audit:command", "tools,audit", "Compare two versions: what broke without a row."),
        Command("prune", "compat.cli.commands.ledgers.prune:command", "tools", "Delete what is due from a library's source."),
        Command("explain", "compat.cli.commands.explain:command", "tools", "Explain one legacy name and how to leave it."),
        Command("guide", "compat.cli.commands.guide:command", "tools", "Write or check the migration guide."),
        Command("stubs", "compat.cli.commands.stubs:command", "tools", "Write stubs that mark legacy names deprecated."),
        Command("export", "compat.cli.commands.export:command", "tools", "Export the ledger for other tools."),
        Command("serve", "compat.cli.commands.serve:command", "server,tools", "Serve the usage page, /api/usage and /metrics."),
        Command("forget", "compat.cli.commands.forget:run", "", "Remove what the telemetry has kept on this machine."),
        Command("vacuum", "compat.cli.commands.vacuum:command", "tools", "Drop old days from the usage history."),
    )
}


def plugged() -> dict[str, Command]:
    """The commands that distributions plug in; a name of the package's own is not to be had."""
    from compat.boot import entry_points

    found: dict[str, Command] = {}
    for entry in entry_points.entry_points(sys.path, entry_points.COMMANDS):
        if entry.name not in COMMANDS:
            distribution, _, version = entry.distribution.replace("_", "-").rpartition("-")
            found.setdefault(entry.name, Command(entry.name, entry.value, entry.extra, "", distribution, version))
    return found


def find(name: str) -> Command | None:
    """The command of a name; ``None`` where nobody declares it."""
    return COMMANDS.get(name) or plugged().get(name)


def help_of(command: Command) -> str:
    """The line for the list of commands; for one that is plugged in the first of its docstring, or what keeps it from running."""
    if command.help:
        return command.help
    try:
        target = command.load()
    except ImportError as error:
        needs = f"{command.distribution}[{command.extra}]" if command.extra else error.name or str(error)
        return f"(needs {needs})"
    except Exception as error:
        return f"(cannot be loaded: {type(error).__name__}: {error})"
    text: str = getattr(target, "help", None) or target.__doc__ or ""
    return text.strip().partition("\n")[0]
