"""The shipped catalogues, which most tests lay one of their own over, parsed once a process."""

import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from connections_project.platforms.catalog import shipped_catalogs

Parse = Callable[[Path], dict[str, Any]]


def parsing_shipped_once(parse: Parse) -> Parse:
    """Return what parses as `parse` does, and no shipped file twice: none changes under test."""
    shipped = frozenset(shipped_catalogs().values())

    @cache
    def pickled(path: Path) -> bytes:
        return pickle.dumps(parse(path))

    # Each caller gets a copy of its own.
    return lambda path: pickle.loads(pickled(path)) if path in shipped else parse(path)
