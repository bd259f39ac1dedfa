"""Dotted paths into a platform's JSON, as the catalogue writes them."""

from typing import Any


def dig(document: Any, path: str) -> Any:
    """Return what stands at a dotted path, None where nothing does.

    Args:
        document: Parsed JSON.
        path: Such as `data.items.0.id`; an integer segment counts into a list, from 0. The empty
            path is the document itself.
    """
    for segment in path.split(".") if path else []:
        document = _step(document, segment)
    return document


def _step(document: Any, segment: str) -> Any:
    if isinstance(document, dict):
        return document.get(segment)
    if isinstance(document, list) and segment.isascii() and segment.isdigit():
        index = int(segment)
        return document[index] if index < len(document) else None
    return None
