"""Which file imports which: never in a circle, and at the top of the file."""

import ast
import pkgutil
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PROJECT = str(ROOT / "connections_project")
PACKAGES = ("connections_project", "audit", "providers", "channels", "social")


def test_no_file_imports_in_a_circle() -> None:
    """Imports inside of functions count, and those for types alone."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}
    TopologicalSorter(imports).prepare()  # Raises a CycleError that names the circle.


def test_the_whole_product_may_not_import_the_sandbox() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [one for one in settings["contracts"] if one["id"] == "no-sandbox-inside"]
    inside = {f"connections_project.{one.name}" for one in pkgutil.iter_modules([PROJECT])}
    product = {*PACKAGES, *inside} - {"connections_project", "connections_project.sandbox"}
    assert set(contract["source_modules"]) == product


def test_imports_in_functions_give_a_reason() -> None:
    """Models can't be imported before `ready`; elsewhere a comment on the line says why not."""
    unexplained = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not {"migrations", "sandbox"}.intersection(path.parts)
        for number in _unexplained(path.read_text())
    ]
    assert unexplained == []


def _unexplained(text: str) -> Iterator[int]:
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef) or function.name == "ready":
            continue
        for each in ast.walk(function):
            if isinstance(each, ast.Import | ast.ImportFrom) and "#" not in lines[each.lineno - 1]:
                yield each.lineno
