"""The tables of the catalogue: merged over files, then read key by key."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from connections_project.oauth import catalog_rules
from connections_project.oauth.catalog_values import CatalogError, Rule
from connections_project.oauth.platform_entries import Platform, Revocation

# Columns that hold a slug have this width.
SLUG = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True)
class Source:
    """One file and what it says."""

    path: Path
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A merged table, its path in the files, and the files, to name the one with a wrong value."""

    address: tuple[str, ...]
    values: Mapping[str, Any]
    sources: list[Source]

    def error(self, problem: object, key: str = "") -> CatalogError:
        """Name the last file that says this key, its table, the key, and what to do."""
        where = f"[{'.'.join(self.address)}] {key}" if self.address else f"[{key}]"
        return CatalogError(f"{self._origin(key)}: {where.strip()}: {problem}")

    def child(self, key: str) -> "Table":
        """Return the table that stands at `key` of this one."""
        if not isinstance(self.values[key], dict):
            raise self.error("must be a table", key)
        return Table((*self.address, key), self.values[key], self.sources)

    def read(self, rules: Mapping[str, Rule]) -> dict[str, Any]:
        """Read each key by its rule; a key without one is an error, most likely a typing slip."""
        return {key: self._read(key, rules) for key in self.values}

    def _read(self, key: str, rules: Mapping[str, Rule]) -> Any:
        if key not in rules:
            raise self.error("is unknown; known keys are " + ", ".join(rules), key)
        try:
            return rules[key](self.values[key])
        except ValueError as error:
            raise self.error(error, key) from error

    def _origin(self, key: str) -> Path:
        steps = (*self.address, key) if key else self.address
        saying = [source.path for source in self.sources if _has_key(source.document, steps)]
        return (saying or [source.path for source in self.sources])[-1]


def read_platforms(sources: list[Source], *, apps: Collection[str]) -> Iterable[Platform]:
    """Merge the files and read every platform in them.

    Args:
        sources: The files, each laid over those before it.
        apps: What a table may begin with; anything, where none is given.

    Raises:
        CatalogError: The first thing that is wrong.
    """
    merged: dict[str, Any] = reduce(_merge, (source.document for source in sources), {})
    root = Table((), merged, sources)
    seen: dict[str, str] = {}
    for table in [each for app in merged for each in _tables_of(root, app, apps)]:
        yield _platform(table, seen)


def _tables_of(root: Table, app: str, apps: Collection[str]) -> list[Table]:
    if apps and app not in apps:
        raise root.error(f"is no app; tables begin with one of {', '.join(apps)}", app)
    tables = root.child(app)
    return [tables.child(slug) for slug in tables.values]


def _platform(table: Table, seen: dict[str, str]) -> Platform:
    app, slug = table.address
    if not SLUG.fullmatch(slug):
        raise table.error("a slug has 1 to 64 of a-z, 0-9 and _")
    if slug in seen:
        raise table.error(f"the slug is taken by [{seen[slug]}.{slug}]; choose another")
    seen[slug] = app
    values = table.read(catalog_rules.PLATFORM | {"revocation": lambda _: None})
    values["revocation"] = _revocation(table) if "revocation" in table.values else None
    if "name" not in values:
        raise table.error("is missing: how people call the platform", "name")
    platform = Platform(app=app, slug=slug, **values)
    for key, problem in catalog_rules.contradictions(platform):
        raise table.error(problem, key)
    return platform


def _revocation(parent: Table) -> Revocation:
    table = parent.child("revocation")
    revocation = Revocation(**table.read(catalog_rules.REVOCATION))
    if not revocation.endpoint and revocation.kind != "adapter":
        raise table.error("is missing: where tokens are revoked", "endpoint")
    known = revocation.introspection_endpoint or parent.values.get("introspection_endpoint")
    if revocation.verify == "introspection" and not known:
        problem = "is missing: revoked tokens are introspected there"
        raise table.error(problem, "introspection_endpoint")
    if revocation.verify == "identity" and not parent.values.get("identity_endpoint"):
        raise table.error("asks the identity_endpoint, and the platform has none", "verify")
    return revocation


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _has_key(document: Any, steps: tuple[str, ...]) -> bool:
    for step in steps:
        if not isinstance(document, dict) or step not in document:
            return False
        document = document[step]
    return True
