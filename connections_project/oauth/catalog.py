"""The catalogue: every platform the service knows, as data from TOML files."""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connections_project.oauth.catalog_tables import Source, read_platforms
from connections_project.oauth.catalog_values import CatalogError
from connections_project.oauth.platform_entries import DeadGrantMatcher, Platform, Revocation

__all__ = ["Catalog", "CatalogError", "DeadGrantMatcher", "Platform", "Revocation", "load_catalog"]


class Catalog(Mapping[str, Platform]):
    """Platforms by slug, in the order of their files."""

    def __init__(self, platforms: Iterable[Platform], *, apps: Iterable[str] = ()) -> None:
        self._by_slug = {platform.slug: platform for platform in platforms}
        # What a table may begin with, also where there is none.
        self.apps = tuple(apps) or tuple(dict.fromkeys(one.app for one in self.all()))

    def __getitem__(self, slug: str) -> Platform:
        return self._by_slug[slug]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_slug)

    def __len__(self) -> int:
        return len(self._by_slug)

    def of_app(self, app: str) -> list[Platform]:
        """Return the platforms of one app, whatever their status."""
        return [platform for platform in self.values() if platform.app == app]

    def all(self) -> list[Platform]:
        return list(self.values())


def load_catalog(*paths: Path, apps: Collection[str] = ()) -> Catalog:
    """Read catalogue files, each laid over those before it.

    Tables merge key by key, lists replace.

    Args:
        paths: TOML files, the shipped ones first, the operator's own last.
        apps: What tables may begin with; anything by default.

    Raises:
        CatalogError: A file can't be read, or a value is wrong; one line names table and key.
    """
    sources = [Source(path, _parsed(path)) for path in paths]
    return Catalog(read_platforms(sources, apps=apps), apps=apps)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: is not UTF-8, as TOML has to be") from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path}: is not TOML: {error}") from error
