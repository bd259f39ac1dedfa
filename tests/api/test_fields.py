"""Arrays in bodies: their length is looked at first, and answers don't grow with them."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from connections_project.api.fields import MOST_ERRORS, Several, Text
from connections_project.api.translation import MOST_FIELD_ERRORS, api_error_of

ROOT = Path(__file__).resolve().parents[2]
# They take as much as is sent. A field that bounds it first, such as Several, may be among these.
UNBOUNDED = (
    serializers.ListField,
    serializers.ListSerializer,
    serializers.DictField,
    serializers.JSONField,
    serializers.MultipleChoiceField,
)


class Counted(Text):
    looks = 0

    def to_internal_value(self, data: Any) -> str:
        type(self).looks += 1
        return super().to_internal_value(data)


@pytest.fixture
def field(monkeypatch: pytest.MonkeyPatch) -> Several:
    monkeypatch.setattr(Counted, "looks", 0)
    return Several(child=Counted(), max_length=1000, allow_empty=False)


def test_no_element_of_too_many_is_looked_at(field: Several) -> None:
    with pytest.raises(ValidationError) as caught:
        field.run_validation([[]] * 1001)
    assert Counted.looks == 0
    assert caught.value.get_codes() == ["max_length"]


def test_the_first_few_that_are_wrong_are_named(field: Several) -> None:
    with pytest.raises(ValidationError) as caught:
        field.run_validation(["right", *[[]] * 999])
    assert Counted.looks == MOST_ERRORS + 1
    assert list(caught.value.detail) == [str(n) for n in range(1, MOST_ERRORS + 1)]


@pytest.mark.parametrize("wrong", ["text", {}, 1, None, []])
def test_what_is_no_list_is_refused(field: Several, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        field.run_validation(wrong)


def test_as_many_as_are_allowed_are_taken(field: Several) -> None:
    assert field.run_validation(["a"] * 1000) == ["a"] * 1000


def test_an_answer_names_a_bounded_number_of_fields() -> None:
    found = api_error_of(ValidationError({str(n): ["wrong"] for n in range(5000)}))
    assert found is not None
    assert len(found.fields) == MOST_FIELD_ERRORS


def request_serializers() -> Iterator[type[serializers.Serializer[Any]]]:
    """All serializers that a body is given to, by where it is: `validated(X, …)`, `X(data=…)`."""
    assert get_resolver().url_patterns  # With them all views are imported.
    names: set[str] = set()
    for folder in ("connections_project", "providers", "channels", "social"):
        for path in (ROOT / folder).rglob("*.py"):
            names.update(_given_bodies(ast.parse(path.read_text("utf-8"))))
    for one in _below(serializers.Serializer):
        if one.__name__ in names and not one.__module__.startswith(("rest_framework", "tests")):
            yield one


def _given_bodies(tree: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _name(call.func) == "validated":
            yield _name(call.args[0])
        elif any(keyword.arg == "data" for keyword in call.keywords):
            yield _name(call.func)


def _name(node: ast.expr) -> str:
    """Return the last part of a name, dotted or not."""
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _fields(
    serializer: serializers.BaseSerializer[Any],
) -> Iterator[serializers.Field[Any, Any, Any, Any]]:
    for one in getattr(serializer, "fields", {}).values():
        yield one
        if isinstance(one, serializers.BaseSerializer):
            yield from _fields(one)


def test_no_body_has_a_field_that_takes_as_much_as_is_sent() -> None:
    found = list(request_serializers())
    assert len(found) > 10
    unbounded = {
        f"{one.__name__}.{field.field_name}"
        for one in found
        for field in _fields(one())
        if isinstance(field, UNBOUNDED) and not isinstance(field, Several)
    }
    assert unbounded == set()


@pytest.mark.parametrize("odd", [[], {}, 1, "a"], ids=repr)
def test_whatever_is_sent_in_any_field_the_errors_are_few(odd: Any) -> None:
    for serializer in request_serializers():
        for name in serializer().fields:
            for many in ([odd] * 9000, {f"k{n}": odd for n in range(9000)}, {"a": [odd] * 9000}):
                body = serializer(data={name: many})
                body.is_valid()
                assert len(json.dumps(body.errors)) < 8000, (serializer, name)
