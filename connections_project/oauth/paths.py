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


def dig_first(document: Any, paths: str) -> Any:
    """Return the first value that one of several paths, parted by "|", leads to.

    Neither null nor an empty text counts, unless there is nothing else. Without a path there is
    none: the empty one doesn't stand for the document itself.
    """
    found = [dig(document, path) for path in paths.split("|") if path]
    filled = (one for one in found if one is not None and one != "")
    return next(filled, found[-1] if found else None)


def dig_text(document: Any, paths: str) -> str:
    """Return the text or whole number at these paths as text; empty where there is neither.

    Platforms write the same id as a number here and as text there.
    """
    found = dig_first(document, paths)
    is_told = isinstance(found, str | int) and not isinstance(found, bool)
    return str(found) if is_told else ""


def is_null(document: Any, path: str) -> bool:
    """Whether null stands at a dotted path, which is more than that nothing does."""
    above, _, last = path.rpartition(".")
    parent = dig(document, above)
    return (
        document is None if not path else isinstance(parent, dict) and parent.get(last, 0) is None
    )


def _step(document: Any, segment: str) -> Any:
    if isinstance(document, dict):
        return document.get(segment)
    if isinstance(document, list) and segment.isascii() and segment.isdigit():
        index = int(segment)
        return document[index] if index < len(document) else None
    return None
