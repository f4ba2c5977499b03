"""Deferred annotations (3.14): a legacy name in an annotation is used when the annotation is evaluated, if ever."""

from __future__ import annotations

import sys

import pytest

from compat import Module, Name

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are deferred from 3.14")
DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def moved(world, installed):
    installed(Module("old.mod", "canon.core", **DATES), Name("live:Widget", "canon.core:Widget", **DATES))
    return world


HEAD = "import live, old.mod\n\ndef f(a: old.mod.Widget, b: live.Widget) -> None: ...\nclass C:\n    a: old.mod.Point\n"
AT_F = {("old.mod", "attribute", 3): 1, ("live:Widget", "attribute", 3): 1}


def test_an_annotation_that_nobody_evaluates_is_no_use(moved):
    assert moved.ok(HEAD).counted("attribute") == {}


def test_get_type_hints_evaluates_and_counts_at_the_annotation(moved):
    import canon.core

    seen = moved.ok(HEAD + "import typing\nhints = typing.get_type_hints(f)")
    assert seen.namespace["hints"] == {"a": canon.core.Widget, "b": canon.core.Widget, "return": type(None)}
    assert seen.counted("attribute") == AT_F


# For STRING, too, annotationlib runs the annotations once, to see whether the function knows the format.
@pytest.mark.parametrize("form", ["VALUE", "FORWARDREF", "STRING"])
def test_each_format_of_annotationlib_works_as_with_canonical_names(moved, form):
    import canon.core

    seen = moved.ok(HEAD + f"import annotationlib\nfound = annotationlib.get_annotations(f, format=annotationlib.Format.{form})")
    value = "old.mod.Widget" if form == "STRING" else canon.core.Widget
    assert seen.namespace["found"]["a"] == value
    assert seen.counted("attribute") == AT_F


def test_a_name_that_cannot_be_resolved_stays_a_forward_reference(moved):
    seen = moved.ok(
        "import old.mod, annotationlib\ndef f(a: old.mod.Nope, b: old.mod.Widget): ...\n"
        "found = annotationlib.get_annotations(f, format=annotationlib.Format.FORWARDREF)",
        filters="ignore",
    )
    import canon.core

    assert isinstance(seen.namespace["found"]["a"], __import__("annotationlib").ForwardRef)
    assert seen.namespace["found"]["b"] is canon.core.Widget


def test_dataclasses_take_legacy_names_as_field_types(moved):
    seen = moved.ok(
        "import dataclasses, old.mod\n@dataclasses.dataclass\nclass D:\n    p: old.mod.Point\nnames = [f.name for f in dataclasses.fields(D)]\nd = D(old.mod.Point(1))"
    )
    assert seen.namespace["names"] == ["p"] and seen.namespace["d"].p.x == 1


def test_pydantic_models_take_legacy_names_as_field_types(moved):
    pytest.importorskip("pydantic", reason="pydantic comes with the server extra")
    seen = moved.ok("import old.mod, pydantic\nclass M(pydantic.BaseModel):\n    p: old.mod.Point\nm = M(p={'x': 3})")
    assert seen.namespace["m"].p.x == 3


def test_singledispatch_dispatches_on_an_annotated_legacy_class(moved):
    seen = moved.ok(
        "import functools, old.mod, canon.core\n@functools.singledispatch\ndef f(x): return 'other'\n"
        "@f.register\ndef _(x: old.mod.Widget): return 'widget'\nsaid = f(canon.core.Widget())"
    )
    assert seen.namespace["said"] == "widget"
