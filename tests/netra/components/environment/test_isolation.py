"""Isolation on and off: what is copied, what is given back, and what changes of the process are seen."""

from __future__ import annotations

import os
from unittest import mock

import pytest

from compat.netra.components.environment import IsolatedEnvironment

NAME = "COMPAT_TEST_VARIABLE"
OTHER = "COMPAT_TEST_OTHER"


def test_without_isolation_it_is_the_processes_environment(env: IsolatedEnvironment) -> None:
    assert env.set(NAME, "1", "test")
    assert os.environ[NAME] == env.get(NAME) == "1"
    assert env.get_variable_source(NAME) == "test"
    os.environ[NAME] = "changed"
    assert env.get(NAME) == "changed"
    assert env.delete(NAME)
    assert NAME not in os.environ
    assert not env.delete(NAME)
    assert env.get(NAME, "default") == "default"


def test_with_isolation_nothing_leaks(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.unset("PATH")
    assert isolated.get(NAME) == "1"
    assert not isolated.exists("PATH")
    assert NAME not in os.environ and "PATH" in os.environ


def test_enabling_again_makes_a_clean_copy(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.delete("PATH")
    isolated.enable_isolation(refresh_vars=False)
    assert isolated.get(NAME) == "1" and not isolated.exists("PATH")
    isolated.enable_isolation()
    assert isolated.get(NAME) is None and isolated.get("PATH") == os.environ["PATH"]


@pytest.mark.parametrize("method", ["enable", "enable_isolation_mode"])
def test_the_other_names_of_enabling_take_the_same_arguments(isolated: IsolatedEnvironment, method: str) -> None:
    isolated.set(NAME, "1")
    getattr(isolated, method)(True, False)
    assert isolated.get(NAME) == "1"
    getattr(isolated, method)(backup_original=False)
    assert isolated.get(NAME) is None


def test_a_first_copy_is_made_whatever_is_said_of_refreshing(env: IsolatedEnvironment) -> None:
    env.enable_isolation(refresh_vars=False)
    assert env.get_all() == dict(os.environ)


def test_the_backup_is_taken_when_isolation_begins(env: IsolatedEnvironment) -> None:
    assert env._original_state is None
    env.enable_isolation()
    os.environ[NAME] = "later"
    env.enable_isolation()
    assert NAME not in env._original_environ_backup
    assert env._original_state is not None and NAME not in env._original_state
    env.disable_isolation(restore_original=True)
    assert NAME not in os.environ


def test_disabling_puts_what_was_set_and_removed_into_the_process(env: IsolatedEnvironment) -> None:
    os.environ[OTHER] = "outside"
    env.enable_isolation()
    env.set(NAME, "1", "here")
    env.delete(OTHER)
    env.disable_isolation()
    assert not env.is_isolated()
    assert os.environ[NAME] == env.get(NAME) == "1"
    assert OTHER not in os.environ
    assert env.get_variable_source(NAME) == "here"
    env.disable_isolation()
    assert os.environ[NAME] == "1"


def test_disabling_with_restoring_gives_the_process_back_what_it_had(env: IsolatedEnvironment) -> None:
    env.enable_isolation()
    env.set(NAME, "1")
    os.environ[OTHER] = "changed behind its back"
    env.disable_isolation(restore_original=True)
    assert NAME not in os.environ and OTHER not in os.environ


def test_without_a_backup_nothing_is_restored(env: IsolatedEnvironment) -> None:
    env.enable_isolation(backup_original=False)
    env.set(NAME, "1")
    os.environ[OTHER] = "stays"
    env.disable_isolation(restore_original=True)
    assert NAME not in os.environ and os.environ[OTHER] == "stays"


def test_a_with_statement_restores_at_its_end(env: IsolatedEnvironment) -> None:
    with env as inside:
        assert inside is env and env.is_isolation_enabled()
        env.set(NAME, "1")
    assert not env.is_isolated()
    assert NAME not in os.environ
    env.enable_isolation()
    env.set(NAME, "1")
    with env:
        assert env.get(NAME) is None
    assert not env.is_isolated() and NAME not in os.environ


def test_in_a_test_copied_variables_follow_the_process(env: IsolatedEnvironment) -> None:
    os.environ[NAME] = "before"
    env.enable_isolation()
    with mock.patch.dict(os.environ, {NAME: "patched", OTHER: "new"}):
        assert (env.get(NAME), env.get(OTHER), env.get_all()[NAME]) == ("patched", "new", "patched")
    assert (env.get(NAME), env.get(OTHER), env.exists(OTHER)) == ("before", None, False)
    with mock.patch.dict(os.environ, {}, clear=True):
        assert env.get(NAME) is None and env.get_all() == {}
    assert env.get(NAME) == "before"


def test_what_was_set_here_wins_over_later_changes_of_the_process(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "set")
    with mock.patch.dict(os.environ, {NAME: "patched"}):
        assert isolated.get(NAME) == isolated.get_all()[NAME] == "set"
    isolated.delete(NAME)
    with mock.patch.dict(os.environ, {NAME: "patched"}):
        assert isolated.get(NAME, "default") == "default" and not isolated.exists(NAME)


def test_outside_of_tests_the_copy_stays_as_it_was(env: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    os.environ[NAME] = "before"
    env.enable_isolation()
    os.environ[NAME] = os.environ[OTHER] = "after"
    assert (env.get(NAME), env.get(OTHER)) == ("before", None)
    assert OTHER not in env.get_all()


def test_what_is_written_into_the_store_itself_is_served(isolated: IsolatedEnvironment) -> None:
    isolated._isolated_vars[NAME] = "1"
    assert isolated.get(NAME) == isolated.get_all()[NAME] == "1"


def test_copying_what_changed_keeps_what_was_done_here(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.delete("PATH")
    os.environ[OTHER] = "new"
    isolated.clear_cache()
    assert isolated._isolated_vars[OTHER] == "new"
    assert isolated.get(NAME) == "1" and not isolated.exists("PATH")


def test_a_removed_variable_is_told_from_its_mark_as_a_text(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "__UNSET__")
    assert isolated.get(NAME) == isolated.get_all()[NAME] == "__UNSET__"


def test_pytests_own_marks_are_written_through(isolated: IsolatedEnvironment) -> None:
    isolated.set("PYTEST_TIMEOUT", "7")
    assert os.environ["PYTEST_TIMEOUT"] == "7"
    isolated.delete("PYTEST_TIMEOUT")
    assert "PYTEST_TIMEOUT" not in os.environ


def test_a_snapshot_brings_everything_back(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1", "first")
    before = isolated.snapshot()
    isolated.set(NAME, "2", "second")
    isolated.delete("PATH")
    isolated.disable_isolation(restore_original=True)
    isolated.restore(before)
    assert isolated.is_isolated()
    assert (isolated.get(NAME), isolated.get_variable_source(NAME), isolated.exists("PATH")) == ("1", "first", True)
