"""Read the forms of a page, as far as a browser needs them to fill one in and send it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form's target, its fields with their values, and its buttons by their label."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


def forms_of(html: str) -> dict[str, Form]:
    """Return the forms of a page by their `id`."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self._form = Form(action="")
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self._form = self.forms[given.get("id", "")] = Form(given.get("action", ""))
        elif tag == "input" and name:
            self._form.fields[name] = value
        elif tag == "button":
            self._button = (name, value)

    def handle_data(self, data: str) -> None:
        if self._button is not None and data.strip():
            self._form.buttons[data.strip()] = self._button

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = None
