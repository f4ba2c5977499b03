"""Of the declared ledgers, those of the project's own dependencies are in use."""

from __future__ import annotations

import sys

import pytest

from compat.ledger.in_use import in_use

OWN = "[compat.ledgers]\nshipped = compat.case.ledger:LEDGER\n[compat.roots]\nold_case = compat.case.ledger:LEDGER\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Make an environment: distributions by name, each with its installer and whether it was asked for."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), str(tmp_path / "nowhere")])

    def install(name, installer="pip", requested=False, requires=(), entry_points=None):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        lines = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(f"Name: {name}\n{lines}\nRequires-Dist: of-the-description\n")
        (info / "entry_points.txt").write_text(entry_points or f"[compat.ledgers]\n{name} = {name}:LEDGER\n")
        if installer:
            (info / "INSTALLER").write_text(f"{installer}\n")
        if requested:
            (info / "REQUESTED").write_text("")

    return install


@pytest.fixture
def used(tmp_path):
    """The names of the ledgers in use in a directory that has a pyproject.toml of some text."""

    def used(text=None):
        directory = tmp_path / "project" / "below"
        directory.mkdir(parents=True, exist_ok=True)
        if text is not None:
            (directory.parent / "pyproject.toml").write_text(text)
        found, others = in_use(str(directory))
        assert not {one.name for one in found} & {one.name for one in others}
        return {one.name for one in found}

    return used


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname = 'mine'\ndependencies = ['Old.Shop>=1; python_version > \"3\"']\n",
        "[project]\nname = 'old-shop'\n",
        "[project]\nname = 'mine'\n[project.optional-dependencies]\nmore = ['old_shop[x]']\n",
        "[project]\nname = 'mine'\n[dependency-groups]\ntest = [{include-group = 'other'}, 'old-shop']\n",
        "[tool.poetry]\nname = 'mine'\n[tool.poetry.dependencies]\npython = '^3.9'\nold-shop = '^1'\n",
        "[tool.poetry]\nname = 'mine'\n[tool.poetry.group.dev.dependencies]\nold-shop = {version = '1'}\n",
        "[tool.compat]\nledgers = ['old_shop:LEDGER']\n",
    ],
)
def test_what_the_project_depends_on_is_in_use(installed, used, text):
    installed("old_shop")
    installed("other")
    assert used(text) == {"old_shop"}


@pytest.mark.parametrize(
    "text", ["[project]\nname = 'mine'\n", "[project]\nname = 'mine'\ndependencies = ['other-shop', 'old-shop-tools']\n"]
)
def test_what_came_as_a_dependency_of_something_else_is_not(installed, used, text):
    installed("old_shop")
    assert used(text) == set()


def test_what_was_asked_for_is_and_so_is_what_nobody_marks(installed, used):
    installed("asked", requested=True)
    installed("asked_uv", "uv", requested=True)
    installed("conda_made", "conda")
    installed("unknown", None)
    installed("brought", "uv")
    assert used("[project]\nname = 'mine'\n") == {"asked", "asked_uv", "conda_made", "unknown"}


@pytest.mark.parametrize("text", [None, "[tool.ruff]\nline-length = 99\n", "no toml at all ["])
def test_without_a_project_the_direct_dependencies_of_what_was_asked_for_are(installed, used, text):
    installed("app", requested=True, requires=("shop>=1",), entry_points="[console_scripts]\napp = app:main\n")
    installed("shop", requires=("deeper",))
    installed("deeper")
    assert used(text) == {"shop"}


def test_the_ledger_of_the_tool_is_in_use_alone_or_where_its_packages_lie(installed, used, tmp_path):
    installed("netra_compat", requested=True, entry_points=OWN)
    assert used("[project]\nname = 'mine'\n") == {"shipped"}
    installed("shop", requested=True)
    assert used() == {"shop"}
    (tmp_path / "project" / "below" / "src" / "old_case").mkdir(parents=True)
    assert used() == {"shop", "shipped"}
