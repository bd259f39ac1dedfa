"""Which file imports which: never in a circle, and at the top of the file."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PACKAGES = ("connections_project", "audit", "providers", "channels", "social")


def test_no_file_imports_in_a_circle() -> None:
    """Imports inside of functions count; those for types alone don't."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    imports = {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}
    TopologicalSorter(imports).prepare()  # Raises a CycleError that names the circle.


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
