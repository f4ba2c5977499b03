"""Every block of every page runs, and says what it says it prints."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
WRITTEN_BY_HAND = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "tests" / "README.md", *(ROOT / "docs").rglob("*.md")]
    if "reference" not in path.parts
)
#: Its blocks are conversations, held with a server in tests/canonical/server/test_protocol.py.
PROTOCOL = "docs/protocol.md"
#: Its JavaScript is run by a browser, in tests/browser/test_client.py.
CORE = "docs/how-to/websocket-core.md"
RUNS = {"console", "dockerfile", "ini", "python", "sh", "toml", "yaml"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [path for path in WRITTEN_BY_HAND if path != PROTOCOL], indirect=True, ids=str)
def test_every_block_runs_and_prints_what_the_page_says(page):
    blocks = re.findall(r"^ *```(?=\S)", page.path.read_text(encoding="utf-8"), flags=re.M)
    drawings = re.findall(r"^ *```(?:text|js)$", page.path.read_text(encoding="utf-8"), flags=re.M)
    assert page.run() == len(blocks) - len(drawings)


@pytest.mark.parametrize("path", WRITTEN_BY_HAND)
def test_every_block_names_a_language_that_runs(path):
    fences = re.findall(r"^ *```(.*)$", (ROOT / path).read_text(encoding="utf-8"), flags=re.M)
    assert set(fences[1::2]) <= {""}
    more = {"docs/architecture.md": {"text"}, "docs/how-to/ci.md": {"text"}, PROTOCOL: {"ws"}, CORE: {"js"}}
    assert set(fences[::2]) <= RUNS | more.get(path, set())


@pytest.mark.parametrize("path", WRITTEN_BY_HAND)
def test_every_link_to_a_file_leads_to_one(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / path).parent.joinpath(link).exists()] == []
