"""The form of a page, filled as a browser sends it."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

CHOSEN = ("checked", "selected")


class FormParser(HTMLParser):
    """Collects what each form that is posted holds."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._fields: dict[str, list[str]] | None = None
        self._select = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post" and given.get("id") != "logout-form":
            self._fields = {}
            self.forms.append(self._fields)
        elif self._fields is not None:
            self._take(self._fields, tag, given)

    def _take(self, fields: dict[str, list[str]], tag: str, given: Mapping[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag in {"select", "textarea"}:
            self._select = name
            fields.setdefault(name, [""] if tag == "textarea" else [])
        elif tag == "option" and "selected" in given:
            fields[self._select].append(value)
        elif tag == "input" and name:
            values = fields.setdefault(name, [])
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                values.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


def form_of(page: str) -> dict[str, list[str]] | None:
    """Return the fields of the page's own form with their values; None where it has none."""
    parser = FormParser()
    parser.feed(page)
    return parser.forms[0] if parser.forms else None


def filled(form: Mapping[str, list[str]], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a form, with one more row of each formset on it."""
    added = {name: _number(form, name) for name in form if "-__prefix__-" in name}
    sent: dict[str, Any] = {name: value for name, value in form.items() if name not in added}
    for name, number in added.items():
        prefix, _, field = name.partition("-__prefix__-")
        sent[f"{prefix}-TOTAL_FORMS"] = number + 1
        sent[f"{prefix}-{number}-{field}"] = values.get(f"{prefix}-{field}", form[name])
    return sent | {name: values[name] for name in form if name in values}


def _number(form: Mapping[str, list[str]], name: str) -> int:
    return int(form[f"{name.partition('-__prefix__-')[0]}-TOTAL_FORMS"][0])
