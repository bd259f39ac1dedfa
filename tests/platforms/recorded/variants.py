"""The same answers as another day's recording may have them."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.support.platform_server import Answer

Variant = Callable[[str], str]
_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')
_NUMBER_AS_TEXT = re.compile(r'"(-?(?:0|[1-9]\d*)(?:\.\d+)?)"(?!\s*:)')


def reordered(text: str) -> str:
    """Write fields in another order, with more of them and with blanks between."""

    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [other(one) for one in value]
        if isinstance(value, dict):
            fields = {name: other(one) for name, one in reversed(value.items())}
            return {"new_field": {"of": ["no", 1, None]}, **fields, "newer_field": None}
        return value

    # Fractions stay as they are written, which a float would not.
    document = json.loads(text, parse_float=lambda one: f"NUMBER{one}")
    return re.sub(r'"NUMBER([^"]*)"', r"\1", json.dumps(other(document), indent=3))


def without_nulls(text: str) -> str:
    """Leave out what is null."""

    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [other(one) for one in value]
        if isinstance(value, dict):
            return {name: other(one) for name, one in value.items() if one is not None}
        return value

    document = json.loads(text, parse_float=lambda one: f"NUMBER{one}")
    return re.sub(r'"NUMBER([^"]*)"', r"\1", json.dumps(other(document)))


def numbers_as_text(text: str) -> str:
    def other(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith('"') else f'"{found[0]}"'

    return _TEXT_OR_NUMBER.sub(other, text)


def text_as_numbers(text: str) -> str:
    return _NUMBER_AS_TEXT.sub(r"\1", text)


VARIANTS: tuple[Variant, ...] = (reordered, without_nulls, numbers_as_text, text_as_numbers)


def varied(answer: Answer, variant: Variant) -> Answer:
    content = answer.content().decode()
    if not content or content.startswith("<"):
        return answer
    return Answer(answer.status, body=variant(content).encode(), headers=answer.headers)
