"""The shipped catalogues, which most tests lay one of their own over, read once a process."""

import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from connections_project.oauth.catalog_tables import Table
from connections_project.oauth.platform_entries import Platform
from connections_project.platforms.catalog import shipped_catalogs

Parse = Callable[[Path], dict[str, Any]]
ReadPlatform = Callable[[Table, dict[str, str]], Platform]


def parsing_shipped_once(parse: Parse) -> Parse:
    """Return what parses as `parse` does, and no shipped file twice: none changes under test."""
    shipped = frozenset(shipped_catalogs().values())

    @cache
    def pickled(path: Path) -> bytes:
        return pickle.dumps(parse(path))

    # Each caller gets a copy of its own.
    return lambda path: pickle.loads(pickled(path)) if path in shipped else parse(path)


def reading_shipped_once(read: ReadPlatform, parse: Parse) -> ReadPlatform:
    """Return what reads a platform as `read` does, and none twice that is as it is shipped."""

    @cache
    def shipped() -> dict[tuple[str, ...], Any]:
        documents = [parse(path) for path in shipped_catalogs().values()]
        return {
            (app, slug): values
            for document in documents
            for app, tables in document.items()
            for slug, values in tables.items()
        }

    known: dict[tuple[str, ...], Platform] = {}

    def platform(table: Table, seen: dict[str, str]) -> Platform:
        app, slug = table.address
        if slug in seen or table.values != shipped().get(table.address):
            return read(table, seen)
        seen[slug] = app
        # No test can change it: a platform is frozen.
        return known.get(table.address) or known.setdefault(table.address, read(table, {}))

    return platform
