"""The table of subcommands: the one place where a command line name is bound to the code that serves it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


class Command:
    """One subcommand.

    Parameters
    ----------
    name:
        What the user types.
    target:
        ``"module:attribute"``. With an extra: a ``click.Command``. Without: a function that takes the list of arguments
        and returns the exit code, and imports nothing beyond the base install.
    extra:
        The extra of the distribution that installs what the command imports; ``""`` runs in the base install.
    help:
        One line for the list of commands.
    """

    __slots__ = ("extra", "help", "name", "target")

    def __init__(self, name: str, target: str, extra: str, help: str) -> None:
        self.name, self.target, self.extra, self.help = name, target, extra, help

    def load(self) -> Any:
        """Import and return the target."""
        module, _, attribute = self.target.partition(":")
        return getattr(__import__(module, fromlist=[attribute]), attribute)


COMMANDS: Final = {
    command.name: command
    for command in (
        Command("demo", "compat.netra.demo.command:run", "", "Run a service written for legacy paths and show what was seen."),
        Command("doctor", "compat.cli.commands.doctor:run", "", "Say whether the drop-in is active, and who serves each root."),
        Command("scan", "compat.cli.commands.scan:run", "", "Find every legacy use in source files."),
        Command("fix", "compat.cli.commands.fix:command", "tools", "Rewrite legacy uses to their canonical form."),
        Command("compliance", "compat.cli.commands.compliance:command", "tools", "Score a source tree by class of file."),
        Command("report", "compat.cli.commands.report:command", "tools", "Show who still uses what, how much, since when."),
        Command("ready", "compat.cli.commands.ready:command", "tools", "Say for each move whether it may go, and why not."),
        Command("explain", "compat.cli.commands.explain:command", "tools", "Explain one legacy name and how to leave it."),
        Command("guide", "compat.cli.commands.guide:command", "tools", "Write or check the migration guide."),
        Command("stubs", "compat.cli.commands.stubs:command", "tools", "Write stub packages that mark legacy names deprecated."),
        Command("export", "compat.cli.commands.export:command", "tools", "Export the ledger for other tools."),
        Command("serve", "compat.cli.commands.serve:command", "server,tools", "Serve the usage page, /api/usage and /metrics."),
        Command("serve-ws", "compat.netra.serve_ws:command", "server,tools", "Serve the canonical WebSocket core."),
        Command("vacuum", "compat.cli.commands.vacuum:command", "tools", "Drop old days from the usage history."),
    )
}
