"""Modules, classes and functions bear the field's words, not the ones that only we would know."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# fmt: off
PRIVATE = frozenset({
    "admission", "anywhere", "arrival", "bringer", "bury", "chore", "crop", "deed",
    "departures", "door", "fault", "front_page", "glance", "gossip", "grave", "harvest",
    "house", "housekeeping", "let_go", "matter", "nudge", "owe", "roof", "stage", "story",
    "tell_soon", "told", "wish", "witness", "work_off",
})
# fmt: on


def test_names_are_words_of_the_field() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    private = [
        f"{path}: {name}"
        for path in listed.stdout.split()
        for name in {Path(path).stem, *_defined(ROOT / path)}
        if not name.startswith("test_") and _words(name) & PRIVATE
    ]
    assert private == []


def _defined(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name


def _words(name: str) -> set[str]:
    """Return a name as it is in lower case, and its words."""
    lower = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    return {lower, *lower.split("_")}
