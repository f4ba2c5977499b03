"""The click group: lists subcommands from the table and imports one only when it is called."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from compat import __version__

from .suggest import EXAMPLES, did_you_mean, examples_of
from .table import COMMANDS, Command, find, help_of, plugged


class LazyGroup(click.Group):
    """A group whose help needs no subcommand to be imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table, then those that are plugged in."""
        return [*COMMANDS, *plugged()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; ``None`` for a name that nobody declares."""
        command = find(cmd_name)
        if command is None:
            return None
        loaded = command.load()
        if isinstance(loaded, click.Command):
            loaded.name = cmd_name
            if cmd_name in EXAMPLES and not loaded.epilog:
                loaded.epilog = "\b\n" + examples_of(cmd_name)
            return loaded
        if command.extra:
            raise TypeError(f"{command.target} is {loaded!r}; a command with an extra must be a click.Command")
        return _passed_on(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, so that ``compat --help`` stays fast and complete."""
        with formatter.section("Commands"):
            formatter.write_dl([(command.name, command.help) for command in COMMANDS.values()])
        more: dict[str, list[tuple[str, str]]] = {}
        for command in plugged().values():
            lines = more.setdefault(f"{command.distribution} {command.version}", [])
            lines.append((command.name, help_of(command)))
        for distribution, lines in more.items():
            with formatter.section(f"Commands of {distribution}"):
                formatter.write_dl(lines)


def _passed_on(command: Command) -> click.Command:
    """A base command as click sees it: all its arguments go to its own function."""

    @click.command(
        command.name,
        help=help_of(command),
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def passed_on(arguments: tuple[str, ...]) -> int:
        return int(command.load()(list(arguments)))

    return passed_on


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"compat {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    name="compat",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show it.")
def compat() -> None:
    """Finish a migration: run legacy code on its replacement, see who still uses what, find it, rewrite it."""


def _meant(wrong: click.ClickException) -> str:
    """What was probably meant by the name of a command or a choice that does not exist; empty where click says it itself."""
    command = re.search(r"No such command '(.*?)'", wrong.message)
    value = re.match(r"'(.*?)' is not one of", wrong.message)
    choices = getattr(getattr(wrong, "param", None), "type", None)
    if "id you mean" in wrong.message:
        return ""
    if command:
        return did_you_mean(command[1], [*COMMANDS, *plugged()])
    if value and isinstance(choices, click.Choice):
        return did_you_mean(value[1], map(str, choices.choices))
    return ""


def run(arguments: Sequence[str]) -> int:
    """Run the group and return the exit code; a command returns its own code, ``None`` means 0."""
    try:
        code = compat.main(args=list(arguments) or ["--help"], prog_name="compat", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        if _meant(wrong):
            click.echo(_meant(wrong).strip(), err=True)
        return wrong.exit_code
    except click.Abort:
        return 130
    return int(code or 0)
