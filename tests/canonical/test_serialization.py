"""What each kind of odd message becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum, IntEnum
from typing import Any
from unittest.mock import Mock

import pytest

from compat.canonical.core.serialization import CyclicMessageError, get_enum_key, serialize_message

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class Colour(Enum):
    RED = "crimson"
    DEEP = 7


class WebSocketState(IntEnum):
    CONNECTING = 0
    CONNECTED = 1


@dataclass
class Inner:
    colour: Colour
    tags: set[str] = field(default_factory=set)


@dataclass
class Outer:
    inner: Inner
    when: datetime


class Described:
    def to_dict(self) -> dict[str, Any]:
        return {"when": WHEN}


class Model:
    """Stands for a pydantic model whose JSON mode fails."""

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        if mode == "json":
            raise TypeError("no")
        return {"colour": Colour.RED}


def test_json_data_is_handed_back_as_it_is() -> None:
    message = {"a": [1, {"b": None}], "c": 1.5}
    assert serialize_message(message) is message


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        (Colour.RED, "crimson"),
        (WebSocketState.CONNECTED, "connected"),
        ({"state": WebSocketState.CONNECTED, "x": WHEN}, {"state": "connected", "x": WHEN.isoformat()}),
        ({WebSocketState.CONNECTING: Colour.DEEP}, {"connecting": 7}),
        ({Colour.RED: 1, 5: WHEN}, {"red": 1, "5": WHEN.isoformat()}),
        (WHEN, "2026-01-02T03:04:05+00:00"),
        ((1, Colour.RED), [1, "crimson"]),
        ({3}, [3]),
        (Outer(Inner(Colour.DEEP, {"a"}), WHEN), {"inner": {"colour": 7, "tags": ["a"]}, "when": WHEN.isoformat()}),
        (Described(), {"when": WHEN.isoformat()}),
        (Model(), {"colour": "crimson"}),
        (b"ab", "ab"),
        (None, None),
        ("text", "text"),
    ],
)
def test_becomes(message: Any, plain: Any) -> None:
    assert serialize_message(message) == plain
    json.dumps(serialize_message(message))


def test_a_model_is_asked_for_its_json_form() -> None:
    model = Mock()
    model.model_dump.return_value = {"x": 1}
    assert serialize_message({"m": model}) == {"m": {"x": 1}}
    model.model_dump.assert_called_once_with(mode="json")


def test_anything_else_becomes_its_text() -> None:
    class Opaque:
        def __str__(self) -> str:
            return "opaque!"

    assert serialize_message({"o": Opaque(), "t": int}) == {"o": "opaque!", "t": "<class 'int'>"}


def test_a_message_that_contains_itself_is_refused_and_says_where() -> None:
    message: dict[str, Any] = {"a": [1]}
    message["a"].append(message)
    with pytest.raises(CyclicMessageError) as caught:
        serialize_message(message)
    assert str(caught.value).startswith("Circular reference detected at message['a'][1]: ")
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RecursionError)


def test_the_same_part_twice_is_no_circle() -> None:
    part = {"when": WHEN}
    assert serialize_message({"a": part, "b": part})["b"] == {"when": WHEN.isoformat()}


def test_enum_keys_are_lower_case_names() -> None:
    assert get_enum_key(Colour.RED) == "red"
    assert get_enum_key(WebSocketState.CONNECTED) == "connected"


def test_what_is_sent_as_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    serialize_message({"deep": [object()], "model": Model()})
    assert [record.getMessage() for record in caplog.records] == [
        "object at message['deep'][0] has no JSON form; its text is sent",
        "Model.model_dump({'mode': 'json'}) failed: no",
    ]
