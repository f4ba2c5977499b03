"""``compat serve``: the usage page, live, with /api/usage and /metrics."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..common import move_facts
from ..history_source import is_server, opened_usage, source_options
from ..options import chosen_ledger, ledger_option

if TYPE_CHECKING:
    from datetime import datetime

    from compat.ledger import Ledger
    from compat.telemetry.history.database import History
    from compat.telemetry.report.digest import Judged
    from compat.telemetry.report.usage_report import MoveFacts


@click.command()
@source_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind to.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--token", envvar="COMPAT_TOKEN", help="What a client must present; COMPAT_TOKEN does the same unseen by ps.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="One more name under which it is reached; repeatable.")
@click.option("--refresh", type=click.IntRange(min=1), default=10, show_default=True, help="Seconds between updates of the page.")
@ledger_option
def command(
    sources: tuple[str, ...],
    origins: tuple[str, ...],
    host: str,
    port: int,
    token: str | None,
    hosts: tuple[str, ...],
    refresh: int,
    ledgers: tuple[str, ...],
) -> None:
    """Serve the usage page, /api/usage and /api/ready (JSON), and /metrics (Prometheus).

    Bound to loopback unless --host says otherwise, which needs a token: browsers ask for it (any user name, the token
    as password), other clients send "Authorization: Bearer TOKEN". The verdicts of /api/ready and /metrics are those of
    uses alone: "compat ready PATHS" searches the source as well.

    \b
    Examples:
      compat serve
      compat serve host1/state host2/state --port 9000
      COMPAT_TOKEN=secret compat serve --host 0.0.0.0
    """
    import uvicorn

    from compat.telemetry.page.web_server import create_app, is_loopback
    from compat.telemetry.report.usage_report import told

    from ..repository import Repository

    if token is not None and not token.strip():
        raise click.UsageError("the token is empty: leave --token (or COMPAT_TOKEN) out, or give one")
    if not is_loopback(host) and token is None:
        raise click.UsageError(f"binding to {host} lets others in: give a --token (or COMPAT_TOKEN), or bind to 127.0.0.1")
    ledger = chosen_ledger(ledgers)
    facts = move_facts(ledger)
    places = (*sources, *origins)
    with opened_usage(places) as (history, where):
        # What cannot be read is said now, and not only to the first visitor.
        for problem in history.problems:
            click.echo(told(problem), err=True)
    app = create_app(
        lambda: opened_history(places),
        facts,
        narrowed=bool(ledgers),
        token=token,
        hosts=(host, *hosts),
        where=where,
        live=refresh,
        metrics=_metrics(places, [ledger] if ledgers else None),
        verdicts=lambda history, now: _verdicts(history, now, facts),
        judged=lambda history, now, match: _judged(history, now, match, facts),
        owners=Repository().owners,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        name = f"[{host}]" if ":" in host else host
        click.echo(f"Legacy use of {where} on http://{name}:{listener.getsockname()[1]}/ (Ctrl+C ends it)")
        config = uvicorn.Config(app, log_level="warning", ws="none", lifespan="off", server_header=False, proxy_headers=False)
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def opened_history(places: Sequence[str]) -> Iterator[History]:
    """Open the sources afresh for one answer."""
    with opened_usage(places, watched=False) as (history, _):
        yield history


def _verdicts(history: History, now: datetime, facts: dict[str, MoveFacts]) -> dict[str, Any]:
    """The verdicts as ``compat ready --format json`` writes them, as far as uses tell: no source is searched here."""
    from compat.readiness import Policy, as_dict

    from ..verdicts import answers_on

    return as_dict(answers_on(history, facts, now), Policy())


def _judged(history: History, now: datetime, match: str, facts: dict[str, MoveFacts]) -> list[Judged]:
    from ..verdicts import answers_on, judged

    return judged(answers_on(history, facts, now, match))


def _metrics(places: Sequence[str], ledgers: Sequence[Ledger] | None) -> Callable[[], tuple[bytes, str]] | None:
    """What ``/metrics`` tells: all services of one state directory; ``None`` without the extra or for other sources."""
    import os

    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    except ModuleNotFoundError:
        return None
    from compat.metrics import collector
    from compat.telemetry.record.directory import state_directory

    directory, *more = places or (state_directory(),)
    if more or os.path.isfile(directory) or is_server(directory):
        return None
    registry = CollectorRegistry()
    registry.register(collector(ledgers, directory=directory, service=None))
    return lambda: (generate_latest(registry), CONTENT_TYPE_LATEST)
