"""JSON in and JSON out, whatever the caller accepts."""

import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, ClassVar, NoReturn

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from connections_project.api.errors import ApiException, invalid_field
from connections_project.oauth.json_text import MOST_VALUES, TooManyValuesError, load_json

# PostgreSQL stores no NUL in text, and no database takes half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MESSAGE = "NUL and lone surrogate characters are not allowed."


class JsonObjectParser(BaseParser):
    """Reads a body that must be one JSON object in UTF-8 (RFC 8259, section 8.1)."""

    media_type = "application/json"
    # Of a body; less where validating one costs more than to parse it.
    most_values: ClassVar[int] = MOST_VALUES

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002 (DRF's signature)
        parser_context: Any = None,  # noqa: ARG002 (DRF's signature)
    ) -> dict[str, Any]:
        """Read the body.

        Raises:
            ApiException: 400 that names `body`, or the field that holds what can't be stored.
        """
        body = _decoded(stream.read(), self.most_values)
        if not isinstance(body, dict):
            raise invalid_field("body", code="not_an_object", message="Give a JSON object.")
        for field, value in body.items():
            if UNSTORABLE.search(field):
                raise unstorable_characters("body")
            if any(UNSTORABLE.search(text) for text in _texts(value)):
                raise unstorable_characters(field)
        return body


class JsonNegotiation(BaseContentNegotiation):
    """Answers JSON whatever `Accept` says, as RFC 9110, section 12.4.1 allows."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Choose by the body's media type; None becomes a 415."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 (DRF's signature)
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 (DRF's signature)
    ) -> tuple[BaseRenderer, str]:
        """Choose the view's one renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def unstorable_characters(field: str) -> ApiException:
    """Return the exception for a text that no database takes."""
    return invalid_field(field, code="invalid_characters", message=_MESSAGE)


def _decoded(raw: bytes, most: int) -> Any:
    try:
        return load_json(raw, most=most, encoding="utf-8", parse_constant=_refuse_constant)
    except TooManyValuesError:
        message = f"Give at most {most:,} values."
    except (ValueError, RecursionError):
        message = "Give well-formed JSON in UTF-8."
    # Without the cause: it holds the body, and the body may hold a password.
    raise invalid_field("body", code="malformed", message=message)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON (RFC 8259, section 6)")


def _texts(value: Any) -> Iterator[str]:
    """Walk all texts of a value, without recursion, since its depth is the caller's choice."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left.extend([*one.keys(), *one.values()])
        elif isinstance(one, list):
            left.extend(one)
