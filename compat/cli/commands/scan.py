"""``compat scan``: find every use of the ledger in source files.

Exit codes: 0 clean, 1 findings (new ones, or paid debt that still stands in the baseline), 2 usage, 3 a defect.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from compat import __version__
from compat.analysis.findings import CONSTRUCTS

from ..common import opened_output, refuse_a_tree_without_ledgers, required_ledger, tell_where_nothing_is_read, words_of
from ..parser import Parser
from ..progress import bar

if TYPE_CHECKING:
    from compat.analysis.config import Settings
    from compat.analysis.hints import Ran
    from compat.analysis.output import Report
    from compat.analysis.scanning.scanner import Meant, Scan
    from compat.ledger import Ledger

_FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    # Not click: it would take longer to import than a tree of some hundred files takes to be scanned.
    parser = Parser(
        "compat scan",
        usage="compat scan [OPTIONS] [PATH]...",
        description=f"{__doc__}\nPATH: files and directories; the current directory by default; - reads one file from stdin.",
        # Only help is laid out: asking for the terminal's width would import shutil with all its archives.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=None if {"-h", "--help"}.intersection(argv) else 80),
    )
    parser.add_ledgers()
    add = parser.add_argument
    add("-o", "--output", metavar="FILE", help="Write to this file, whole or not at all, instead of stdout.")
    add("--format", choices=_FORMATS, default="text", help="The default is text.")
    add("--rules", action="store_true", help="Also apply the policy rules: factory-bypass, singleton, fragmentation.")
    add(
        "--select",
        action="append",
        default=[],
        metavar="ID",
        help="Only these rules, ids of rows or legacy paths (with *), separated by commas; repeatable. Or only some constructs: "
        f"{', '.join(CONSTRUCTS)}.",
    )
    add(
        "--ignore", action="append", default=[], metavar="ID", help="Leave out these rules, ids of rows or legacy paths (with *)."
    )
    add("--statistics", action="store_true", help="Counts per rule and per move instead of findings (text format).")
    add("--baseline", metavar="FILE", help="Known debt: only what is new fails.")
    add("--update-baseline", action="store_true", help="Strike paid debt from the baseline.")
    add("--accept-new", action="store_true", help="With --update-baseline: take new debt into the baseline, too.")
    add("--strict", action="store_true", help="Parse every file with a use: what does not parse is a finding.")
    add("--no-config", action="store_true", help="Python files only: no TOML, YAML, JSON, INI.")
    add("--no-gitignore", action="store_true", help="Also what .gitignore leaves out.")
    add("--jobs", "-j", type=int, default=None, metavar="N", help="Processes; by default one a core, if that is worth it.")
    add("--types", action="store_true", help="Ask mypy for the classes of objects that the source does not tell.")
    add("--evidence", action="store_true", help="Also find what was counted when programs ran, with its count.")
    add("--from", dest="sources", action="append", default=[], metavar="SOURCE", help="Where --evidence reads; repeatable.")
    add("--stdin-filename", metavar="FILE", help="Where the text that `-` reads from stdin belongs.")
    add("--exit-zero", action="store_true", help="Exit with 0 even where something is found.")
    add("--cache", action="store_true", default=True, help=argparse.SUPPRESS)
    add("--no-cache", dest="cache", action="store_false", help="Keep no results in .compat-cache between runs.")
    return parser


def run(argv: Sequence[str]) -> int:
    """Scan, compare with the baseline, report."""
    parser = _parser(argv)
    try:
        given, paths = _parsed(parser, list(argv))
        if given.jobs is not None and given.jobs < 1:
            parser.error("argument --jobs: there must be at least one process")
        if given.sources and not given.evidence:
            parser.error("--from says where --evidence reads")
        if "-" in paths and paths != ["-"]:
            parser.error("- reads the only file of a run")
        if paths == ["-"] and given.evidence and not given.stdin_filename:
            parser.error("--evidence goes by file and line: --stdin-filename says where the text of - belongs")
        settings, baseline = _settings(given, [given.stdin_filename or "."] if paths == ["-"] else paths)
        if (given.update_baseline or given.accept_new) and not baseline:
            parser.error("--update-baseline and --accept-new need --baseline FILE")
    except SystemExit as stop:
        return int(stop.code or 0)
    from compat.analysis.reading import gc_pause

    with gc_pause.paused():
        return _scan(given, paths, settings, baseline)


def _parsed(parser: argparse.ArgumentParser, argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the paths that stand among them or after ``--``."""
    end = argv.index("--") if "--" in argv else len(argv)
    given, paths = parser.parse_known_args(argv[:end])
    unknown = [word for word in paths if word.startswith("-") and word != "-"]
    if unknown:
        parser.error(f"no such option: {unknown[0]}")
    return given, [*paths, *argv[end + 1 :]]


def _scan(given: argparse.Namespace, paths: list[str], settings: Settings, baseline: str) -> int:
    from compat.analysis import output
    from compat.analysis.scanning.scanner import Meant

    ledger = required_ledger(tuple(given.ledgers))
    if settings.per_file_ignores and not given.ledgers:
        from compat.analysis.choice import Choice

        Choice(ledger, settings).check_settings()
    about: dict[str, Any] = {"select": words_of(given.select), "ignore": words_of(given.ignore), "settings": settings}
    result = _scan_stdin(given, ledger, about) if paths == ["-"] else _scan_trees(given, paths, ledger, about, baseline)
    report = output.Report(result.findings, files=result.files, seconds=result.seconds, statistics=given.statistics)
    if given.format in output.VERSIONED:
        report.version = __version__
    if baseline:
        meant = Meant(ledger, **about)
        _compare(report, result, baseline, meant, update=given.update_baseline, accept_new=given.accept_new)
    with opened_output(given.output) as stream:
        output.write(given.format, report, stream)
    return 1 if (report.findings or report.paid) and not given.exit_zero else 0


def _scan_stdin(given: argparse.Namespace, ledger: Ledger, about: dict[str, Any]) -> Scan:
    import sys

    from compat.analysis.scanning.scanner import scan_one

    name, raw = given.stdin_filename or "<stdin>", sys.stdin.buffer.read()
    hints = {"evidence": _counted(given), "types": given.types}
    return scan_one(name, raw, ledger, policy=given.rules, strict=given.strict, **hints, **about)


def _scan_trees(given: argparse.Namespace, paths: list[str], ledger: Ledger, about: dict[str, Any], baseline: str) -> Scan:
    from compat.analysis import scan

    ran = _counted(given)
    with bar("Scanning") as progress:
        result = scan(
            paths or (".",),
            ledger,
            policy=given.rules,
            strict=given.strict,
            gitignore=not given.no_gitignore,
            config=not given.no_config,
            jobs=given.jobs,
            cache=os.path.join(about["settings"].root, ".compat-cache") if given.cache else None,
            progress=progress,
            leave_out=[baseline] if baseline else [],
            evidence=ran,
            types=given.types,
            **about,
        )
    # A hook is given single files, of which none may use anything.
    if not result.findings and not given.ledgers and (not paths or any(map(os.path.isdir, paths))):
        refuse_a_tree_without_ledgers(ledger, result.paths)
    tell_where_nothing_is_read(result.files, paths)
    return result


def _counted(given: argparse.Namespace) -> list[Ran]:
    if not given.evidence:
        return []
    from ..evidence import counted

    return counted(given.sources)


def _settings(given: argparse.Namespace, paths: list[str]) -> tuple[Settings, str]:
    """The settings of the scanned project, and its baseline; empty where it has none."""
    from compat.analysis import config

    settings = config.load(paths[0] if paths else ".")
    if given.baseline or not settings.baseline:
        return settings, given.baseline or ""
    return settings, os.path.relpath(os.path.join(settings.root, settings.baseline))


def _compare(report: Report, result: Scan, baseline: str, meant: Meant, *, update: bool, accept_new: bool) -> None:
    """Leave in the report what the baseline does not know, and tell what it knows in vain; strike that on ``update``.

    What was not looked for is not paid.
    """
    from compat.analysis.debt import baseline as debts

    known = debts.Baseline(baseline) if update and not os.path.exists(baseline) else debts.Baseline.load(baseline)

    def compared() -> debts.Comparison:
        comparison = known.compare(result.findings, result.paths)
        if not meant.is_all:
            for key in [*comparison.paid]:
                if not meant.keeps(key._replace(path=os.path.join(known.root, key.path))):
                    del comparison.paid[key]
        return comparison

    comparison = compared()
    if update:
        known.update(comparison, accept_new=accept_new)
        known.save()
        comparison = compared()
    report.findings, report.known = comparison.new, comparison.known
    report.paid = [key.label for key in sorted(comparison.paid)]
