"""``[tool.compat]``: one table of keys, from which the check, the sentences, the documentation and the schema are made."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from importlib import resources

import pytest

from compat import configuration

#: For each key, what it takes and what it does not.
VALUES = {
    "ledgers": (["shop.moves:LEDGER"], ["shop.moves"]),
    "exclude": (["vendor/**"], "vendor"),
    "fix-skip": ([], [3]),
    "test-files": (["*_spec.py"], {}),
    "factories": ({"a.b:C": "a.b:make"}, {"a.b:C": "make"}),
    "per-file-ignores": ({"tests/": ["patch", "shop:a"]}, {"tests/": "patch"}),
    "owners": ({"src/": "@a", "docs/": ["@b"]}, {"src/": 3}),
    "rules": (True, "yes"),
    "baseline": ("debt.json", ""),
    "pytest": ({"max": "self=0", "packages": ["shop"]}, {"max": 3}),
    "telemetry": (True, "on"),
    "testing": (False, 0),
}


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "pyproject.toml").write_text("[tool.compat]\n")
    return tmp_path


def test_every_key_has_a_value_that_it_takes_and_one_that_it_does_not():
    assert set(VALUES) == set(configuration.KEYS)


@pytest.mark.parametrize("name", list(configuration.KEYS))
def test_what_the_reader_takes_and_what_the_schema_takes_is_the_same(name):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft7Validator(configuration.schema())
    good, bad = ({name: value} for value in VALUES[name])
    assert (configuration.faults(good), list(validator.iter_errors(good))) == ([], [])
    assert list(validator.iter_errors(bad)) != []
    (said,) = configuration.faults(bad)
    assert said == f"[tool.compat] {name} must be {configuration.KEYS[name].must}, not {bad[name]!r}"


@pytest.mark.parametrize("name", list(configuration.KEYS))
def test_every_default_is_a_value_that_the_key_takes(name):
    default = configuration.KEYS[name].default
    assert default is None or configuration.faults({name: default}) == []


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("ledger", "ledgers"), ("fix_skip", "fix-skip"), ("Baselin", "baseline"), ("testfiles", "test-files")],
)
def test_an_unknown_key_is_named_with_the_nearest(project, written, nearest):
    (project / "pyproject.toml").write_text(f"[tool.compat]\n{written} = 1\n")
    every = f"it takes {', '.join(configuration.KEYS)}"
    with pytest.raises(configuration.ConfigError) as caught:
        configuration.load(str(project))
    assert str(caught.value) == f"{project / 'pyproject.toml'}: [tool.compat] has no {written!r}; write {nearest!r} ({every})"
    assert configuration.faults({"zzz": 1}) == [f"[tool.compat] has no 'zzz'; {every}"]


def test_all_that_is_wrong_is_found():
    assert len(configuration.faults({"rules": 1, "exclud": [], "baseline": 3, "testing": True})) == 3


def test_a_key_of_a_table_within_the_table_is_named_with_the_nearest():
    inner = {"type": "object", "properties": {"record": {"type": "boolean"}}, "additionalProperties": False}
    either = {"anyOf": [{"type": "boolean"}, inner]}
    assert configuration.fault({"recrd": True}, either) == ((), "recrd", ["record"])
    assert configuration.fault({"record": 1}, either) is True
    assert not configuration.fault({"record": True}, either) and not configuration.fault(False, either)
    assert configuration.fault({"a": {"b": 1}}, {"type": "object", "additionalProperties": inner}) == (("a",), "b", ["record"])


def test_an_unknown_key_of_the_table_for_pytest_is_named_with_the_nearest():
    (said,) = configuration.faults({"pytest": {"ratched": "uses.txt"}})
    assert said == "[tool.compat.pytest] has no 'ratched'; write 'ratchet' (it takes max, ratchet, expect, packages)"


def test_the_schema_has_the_form_of_schemastore():
    jsonschema = pytest.importorskip("jsonschema")
    schema = configuration.schema()
    jsonschema.Draft7Validator.check_schema(schema)
    assert re.fullmatch(r"https://json\.schemastore\.org/partial-[a-z-]+\.json", schema["$id"])
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert all("description" in described for described in schema["properties"].values())


def test_the_schema_lies_in_the_package():
    assert (resources.files("compat") / "tool-compat.schema.json").read_text(encoding="utf-8") == configuration.schema_text()


def test_the_schema_of_the_whole_file_judges_the_table_and_leaves_the_rest(project):
    jsonschema = pytest.importorskip("jsonschema")
    whole = jsonschema.Draft7Validator(configuration.schema_of_pyproject())
    assert not list(whole.iter_errors({"project": {"name": "x"}, "tool": {"other": 1, "compat": {"rules": True}}}))
    assert [error.json_path for error in whole.iter_errors({"tool": {"compat": {"rules": 1}}})] == ["$.tool.compat.rules"]


def test_the_table_that_holds_is_the_nearest_that_there_is(project):
    (project / "pyproject.toml").write_text("[tool.compat]\nrules = true\n")
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[project]\nname = 'compat-user'\n")
    table, file = configuration.load(str(deep))
    assert (configuration.value(table, "rules"), file) == (True, str(project / "pyproject.toml"))
    (deep / "pyproject.toml").write_text("[tool.compat]\n")
    assert configuration.load(str(deep / "module.py")) == ({}, str(deep / "pyproject.toml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.compat\n", "cannot be read: "),
        ("tool = 'compat'\n", "[tool.compat] must be a table; tool is 'compat'"),
        ("[tool]\ncompat = 1\n", "[tool.compat] must be a table; compat is 1"),
        (b"\xff compat", "cannot be read: 'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_is_no_settings_is_said_in_one_sentence(project, text, said):
    (project / "pyproject.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(configuration.ConfigError, match=re.escape(said)) as caught:
        configuration.load(str(project))
    assert str(caught.value).startswith(str(project / "pyproject.toml")) and "\n" not in str(caught.value).strip()


def test_nobody_else_reads_the_table():
    root = pathlib.Path(configuration.__file__).parent
    reads = re.compile(r"""get\(["']compat["']""")
    readers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if reads.search(line)
    }
    assert readers == {"configuration.py"}


def test_validate_pyproject_finds_the_schema_by_itself(project):
    pytest.importorskip("validate_pyproject")
    file = project / "pyproject.toml"

    def validated(text: str) -> subprocess.CompletedProcess[str]:
        file.write_text(f"[project]\nname = 'shop'\nversion = '1'\n[tool.compat]\n{text}\n")
        command = [sys.executable, "-W", "ignore", "-m", "validate_pyproject", "-D", "setuptools", "distutils", "-v", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "COMPAT_TELEMETRY": "off"})

    good, bad = validated("rules = true"), validated("rules = 1")
    assert good.returncode == 0, good.stderr
    assert bad.returncode == 1 and "tool.compat.rules" in bad.stdout + bad.stderr


def test_the_command_prints_both_schemas():
    pytest.importorskip("click")

    def printed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "compat", "export", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "COMPAT_TELEMETRY": "off"})

    assert json.loads(printed("schema").stdout) == configuration.schema()
    assert json.loads(printed("schema", "--pyproject").stdout) == configuration.schema_of_pyproject()
    wrong = printed("roots", "--pyproject")
    assert wrong.returncode == 2 and "--pyproject belongs to the schema" in wrong.stderr
