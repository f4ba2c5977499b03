"""Who owns a file: CODEOWNERS as GitHub and GitLab read it, or a table of patterns in the same syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Union

NOBODY = "(nobody)"
PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where a CODEOWNERS file lies; the first that is there counts."""
_SECTION = re.compile(r"\^?\[([^\]]+)\](?:\[\d+\])?\s*(.*)")


class Rule(NamedTuple):
    """One line: the files that it speaks of, whose they are (nobody's, for none), and the section of GitLab it is in."""

    pattern: re.Pattern[str]
    owners: tuple[str, ...]
    section: str


def parse_codeowners(text: str) -> list[Rule]:
    """Return the rules of a CODEOWNERS file, in their order. Lines that say nothing are passed over, as GitHub does."""
    rules = []
    section, default = "", ()  # type: str, tuple[str, ...]
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head = _SECTION.fullmatch(line)
        if head:
            section, default = head.group(1).strip().lower(), tuple(_words(head.group(2)))
            continue
        pattern, *owners = _words(line)
        rules.append(Rule(_compiled(pattern), tuple(owners) or default, section))
    return rules


def rules_of(table: Mapping[str, Union[str, Sequence[str]]]) -> list[Rule]:
    """Return the rules of a table of patterns and owners, in its order."""
    return [
        Rule(_compiled(pattern), (owners,) if isinstance(owners, str) else tuple(owners), "") for pattern, owners in table.items()
    ]


def owners_of(path: str, rules: Iterable[Rule]) -> str:
    """Return whose ``path``, relative to the root, is: the owners of the last rule that matches, of each section."""
    last: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.pattern.fullmatch(path):
            last[rule.section] = rule.owners
    named = dict.fromkeys(owner for owners in last.values() for owner in owners)
    return " ".join(named) or NOBODY


class Owners:
    """Tells whose a counted file is, and where it lies in the repository.

    A counted file is relative to an entry of ``sys.path``; ``files`` are those of the repository, relative to its root: the
    one that ends in the counted path, where that is only one, is meant.
    """

    def __init__(self, rules: Sequence[Rule], files: Iterable[str]) -> None:
        self._rules = rules
        self._found: dict[str, str] = {}
        self._ending: dict[str, list[str]] = {}
        for file in files:
            self._ending.setdefault(file.rpartition("/")[2], []).append(file)

    def path(self, file: str) -> str:
        """Return the path of ``file`` in the repository; as it is, where none or several are meant."""
        file = file.replace("\\", "/")
        like = self._ending.get(file.rpartition("/")[2], ())
        found = [each for each in like if _ends(each, file)]
        return file if file in like or len(found) != 1 else found[0]

    def __call__(self, file: str) -> str:
        """Return the owners of ``file``, separated by spaces."""
        owners = self._found.get(file)
        if owners is None:
            owners = self._found[file] = owners_of(self.path(file).lstrip("/"), self._rules)
        return owners


def _ends(longer: str, file: str) -> bool:
    # An absolute path of another machine ends in that of the repository, and that in one below sys.path.
    return longer.endswith("/" + file.lstrip("/")) or file.endswith("/" + longer)


def _words(line: str) -> list[str]:
    """Split a line at its spaces, but not at escaped ones; what follows `` #`` is a comment."""
    found = []
    for word in re.findall(r"(?:\\.|\S)+", line):
        if word.startswith("#"):
            break
        found.append(word)
    return found


def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.sub(r"\\(.)", "\\1", pattern)
    # A slash before the last character ties the pattern to the root; else it holds at any depth.
    anchored = "/" in text.rstrip("/")
    text = text.lstrip("/")
    directory = text.endswith("/")
    text = text.rstrip("/")
    made = ""
    known = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    for part in re.findall(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|[^*?]", text):
        made += known.get(part, re.escape(part))
    if not anchored:
        made = "(?:.*/)?" + made
    if directory:
        made += "/.*"
    elif not anchored or not text.endswith("*"):
        made += "(?:/.*)?"  # what names a directory speaks of all that is in it; "docs/*" of the files of docs alone
    return re.compile(made)
