"""Writing variables: text, protection, callbacks, history, files, and the ways back to the beginning."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Optional

import pytest

from compat.netra.components import environment
from compat.netra.components.environment import IsolatedEnvironment, SecretLoader

NAME = "COMPAT_TEST_VARIABLE"
OTHER = "COMPAT_TEST_OTHER"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (7, "7"),
        (None, "None"),
        (True, "True"),
        ("secret\n", "secret"),
        ("a\x00b\x01c\td\re\x7ff", "abcdef"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("PostgreSQL://U:p\n@[::1]/db#x", "PostgreSQL://U:p@[::1]/db#x"),
    ],
)
def test_values_become_text_without_control_characters(isolated: IsolatedEnvironment, value: object, kept: str) -> None:
    assert isolated.set(NAME, value)  # type: ignore[arg-type]
    assert isolated.get(NAME) == kept == isolated._sanitize_value(str(value))


def test_protected_variables_change_only_by_force(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.protect_variable(NAME)
    assert isolated.is_protected(NAME)
    assert not isolated.set(NAME, "2")
    assert not isolated.delete(NAME)
    assert isolated.update({NAME: "3", NAME + "_B": "4"}) == {NAME: False, NAME + "_B": True}
    assert isolated.set(NAME, "5", force=True)
    isolated.unprotect_variable(NAME)
    assert isolated.clear_env_var(NAME)
    isolated.protect(NAME)
    assert isolated.is_protected(NAME) and not isolated.is_set(NAME)


def test_callbacks_hear_the_old_value_and_none_for_a_removal(
    isolated: IsolatedEnvironment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    heard: list[tuple[str, Optional[str], Optional[str]]] = []

    def broken(key: str, old: Optional[str], new: Optional[str]) -> None:
        raise RuntimeError("no ear")

    def hear(key: str, old: Optional[str], new: Optional[str]) -> None:
        heard.append((key, old, new))

    isolated.add_change_callback(broken)
    isolated.add_change_callback(hear)
    isolated.set(NAME, "1")
    isolated.set(NAME, "2")
    isolated.delete(NAME)
    isolated.set("REDIS_URL", "mine")
    isolated.remove_change_callback(hear)
    isolated.set(NAME, "3")
    assert heard == [
        (NAME, None, "1"),
        (NAME, "1", "2"),
        (NAME, "2", None),
        ("REDIS_URL", "redis://localhost:6381/0", "mine"),
    ]
    said = [record for record in caplog.records if record.getMessage() == "Environment change callback failed: no ear"]
    assert len(said) == 5 and {record.levelno for record in said} == {logging.WARNING}


def test_the_history_of_a_variable(isolated: IsolatedEnvironment) -> None:
    assert isolated.get_change_history(NAME) == []
    isolated.set(NAME, "1", "a")
    isolated.set(NAME, "2", "b")
    isolated.delete(NAME, "c")
    entries = isolated.get_change_history(NAME)
    assert [(entry["value"], entry["old_value"], entry["source"]) for entry in entries] == [
        ("1", None, "a"),
        ("2", "1", "b"),
        (None, "2", "c"),
    ]
    assert isolated.get_change_history("PATH") == [
        {
            "value": os.environ["PATH"],
            "source": "unknown",
            "timestamp": "current",
            "old_value": None,
            "new_value": os.environ["PATH"],
        }
    ]


def test_clearing_is_refused_outside_of_isolation(env: IsolatedEnvironment) -> None:
    for force_reset in (False, True):
        with pytest.raises(RuntimeError, match="^Cannot clear environment variables outside isolation mode$"):
            env.clear(force_reset)


@pytest.mark.parametrize("force_reset", [False, True])
def test_clearing_empties_the_copy_and_isolation_stays(isolated: IsolatedEnvironment, force_reset: bool) -> None:
    isolated.set(NAME, "1", "here")
    isolated.protect(NAME)
    isolated.clear(force_reset=force_reset)
    assert isolated.get_all() == {} and isolated.is_isolated()
    assert not isolated.is_protected(NAME) and isolated.get_variable_source(NAME) is None
    assert isolated.get(NAME, "default") == "default"
    assert isolated.get("PATH") == os.environ["PATH"]
    assert isolated.get("SERVICE_SECRET", "mine") == os.environ.get("SERVICE_SECRET", "mine")
    isolated.set(NAME, "2")
    assert isolated.get(NAME) == "2"


def test_clearing_outside_of_tests_keeps_sources_unless_forced(
    isolated: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    isolated.enable_isolation()
    isolated.set(NAME, "1", "here")
    isolated.clear()
    assert isolated.get_variable_source(NAME) == "here"
    isolated.clear(force_reset=True)
    assert isolated.get_variable_source(NAME) is None


def test_resetting_ends_isolation_and_undoes_what_was_changed_here(
    env: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OTHER, "kept")
    heard: list[str] = []
    env.add_change_callback(lambda key, old, new: heard.append(key))
    env.set(NAME, "1", "here")
    env.set(OTHER, "changed")
    env.protect(NAME)
    env.enable_isolation()
    env.reset()
    assert not env.is_isolated() and not env.is_protected(NAME)
    assert NAME not in os.environ and os.environ[OTHER] == "kept"
    assert env.get_variable_source(NAME) == "here"
    env.set(NAME, "2")
    assert heard == [NAME, OTHER, NAME]


def test_resetting_to_the_original_makes_the_copy_the_backup(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1", "here")
    isolated.delete("PATH")
    isolated.protect(NAME)
    os.environ[OTHER] = "after the backup"
    isolated.reset_to_original()
    assert isolated.is_isolated() and isolated.is_protected(NAME)
    assert isolated.get(NAME) is None and isolated.exists("PATH") and not isolated.exists(OTHER)
    assert isolated.get_variable_source(NAME) is None


def test_resetting_to_the_original_without_isolation_undoes_own_changes(env: IsolatedEnvironment) -> None:
    os.environ[OTHER] = "of others"
    env.set(NAME, "1")
    env.reset_to_original()
    assert NAME not in os.environ and os.environ[OTHER] == "of others"


def test_a_complete_reset_forgets_sources_callbacks_and_backups(
    env: IsolatedEnvironment, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.add_change_callback(lambda *_: None)
    env.enable_isolation()
    env.set(NAME, "1", "here")
    env.complete_reset_for_testing()
    info = env.get_debug_info()
    assert (info["change_callbacks_count"], info["original_backup_count"], info["tracked_sources"]) == (0, 0, {})
    assert env._original_state is None and not env.is_isolated()
    assert not caplog.records
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    env.complete_reset_for_testing()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_debug_information_has_seven_keys_and_no_values(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "very secret", "here")
    isolated.protect(NAME)
    info = isolated.get_debug_info()
    assert sorted(info) == [
        "change_callbacks_count",
        "isolated_vars_count",
        "isolation_enabled",
        "original_backup_count",
        "os_environ_count",
        "protected_vars",
        "tracked_sources",
    ]
    assert info["isolation_enabled"] is True
    assert info["isolated_vars_count"] == info["os_environ_count"] + 1 == info["original_backup_count"] + 1
    assert info["protected_vars"] == [NAME]
    assert info["tracked_sources"] == {NAME: "here"}
    assert "very secret" not in repr(info)


def test_files_are_loaded(isolated: IsolatedEnvironment, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        f"# comment\n\nexport {NAME}='quoted # value'\n{NAME}_B=plain # comment\nnot a line\n"
        f"{NAME}_C=\"double\"\n{NAME}_D=\n=x\n{NAME}_E='it's'\n{NAME}_F=a#b\n"
    )
    count, faults = isolated.load_from_file(path)
    assert count == 6
    assert faults == ["Line 5: Invalid format (missing =)", "Line 8: Invalid format (empty key name)"]
    names = ("", "_B", "_C", "_D", "_E", "_F")
    assert [isolated.get_all()[NAME + name] for name in names] == ["quoted # value", "plain", "double", "", "it's", "a#b"]
    assert isolated.get_variable_source(NAME) == "file:.env"


def test_only_what_came_from_a_file_is_overridden_by_one(isolated: IsolatedEnvironment, tmp_path: Path) -> None:
    path = tmp_path / "vars"
    path.write_text(f"{NAME}=1\n{OTHER}=1\nPATH=/nowhere\n")
    isolated.set(OTHER, "mine", "code")
    assert isolated.load_from_file(path) == (1, [])
    path.write_text(f"{NAME}=2\n{OTHER}=2\n")
    assert isolated.load_from_file(str(path)) == (1, [])
    assert (isolated.get(NAME), isolated.get(OTHER), isolated.get("PATH")) == ("2", "mine", os.environ["PATH"])
    assert isolated.load_from_file(path, override_existing=False) == (0, [])


def test_values_of_tests_count_as_set_where_nothing_is_to_be_overridden(
    isolated: IsolatedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    path = tmp_path / "vars"
    path.write_text("REDIS_URL=redis://file\n")
    assert isolated.load_from_file(path, override_existing=False) == (0, [])
    assert isolated.load_from_file(path) == (1, [])
    assert isolated.get("REDIS_URL") == "redis://file"


def test_faults_of_files_are_sentences(isolated: IsolatedEnvironment, tmp_path: Path) -> None:
    assert isolated.load_from_file(tmp_path / "none") == (0, [f"File not found: {tmp_path / 'none'}"])
    count, faults = isolated.load_from_file(tmp_path)
    assert count == 0 and faults[0].startswith("Error reading file: ") and str(tmp_path) in faults[0]
    path = tmp_path / "latin1"
    path.write_bytes(b"A=\xff\n")
    count, faults = isolated.load_from_file(path)
    assert count == 0
    assert faults[0].startswith("Error reading file: 'utf-8' codec")
    isolated.protect_variable(NAME)
    path.write_text(f"{NAME}=1\n")
    assert isolated.load_from_file(path) == (0, [f"{NAME} is protected and was not set"])


def test_secrets_are_protected_and_masked(isolated: IsolatedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".secrets").write_text(f"{NAME}=from the file\n")
    secrets = SecretLoader(isolated)
    assert secrets.load_secrets()
    assert secrets.get_secret(NAME) == "from the file"
    assert secrets.set_secret(NAME, "abcdefgh")
    assert not secrets.set_secret(NAME, "other")
    assert secrets.get_masked_value(NAME) == "abc***"
    assert secrets.get_masked_value("COMPAT_TEST_NONE") == ""


def test_secrets_are_loaded_from_the_working_directory(
    isolated: IsolatedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert environment.load_secrets()
    (tmp_path / ".secrets").write_text("no assignment\n")
    assert not environment.load_secrets()
