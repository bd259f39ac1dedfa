"""JSON from others: what it will cost is counted before it is parsed."""

import ast
import json
from pathlib import Path

import pytest

from connections_project.oauth.json_text import (
    MOST_ANSWERED_VALUES,
    MOST_VALUES,
    TooManyValuesError,
    has_more_values,
    load_json,
)
from tests.oauth.conftest import Failing
from tests.support.platform_server import Answer
from tests.support.steps import peak, steps

ROOT = Path(__file__).resolve().parents[2]
MANY = MOST_VALUES + 1
SPRAWLING = {
    "lists": "[" + "[]," * MANY + "[]]",
    "objects": "[" + '{"a":[]},' * MANY + "1]",
    "members": "{" + ",".join(f'"k{n}":1' for n in range(MANY + 1)) + "}",
    "strings": "[" + '"",' * MANY + '""]',
    "after escapes": r'["\"\\",' + r'"\\\"",' * MANY + "1]",
    "open": "[" * MANY,
}
TEXTS = {
    "commas": json.dumps({"text": "," * 300_000}),
    "brackets": json.dumps(["[{" * 150_000, "[" * 5]),
    "escaped quotes": json.dumps({"text": '",' * 150_000}),
    "escaped escapes": json.dumps({"text": "\\,[" * 90_000 + "\\", "more": "," * 9}),
}
# What reads JSON that was written here, or that an operator has given.
OWN = {
    "audit/canonical.py", "audit/checkpoints.py", "audit/readable.py", "audit/export.py",
    "audit/verify_export.py",
    "connections_project/core/vault.py", "connections_project/events/payload.py",
    "connections_project/identity/failover_cache.py", "connections_project/oauth/json_text.py",
    "connections_project/oauth/state.py",
    "connections_project/operations/management/commands/breach_drill.py",
    # One string of an answer.
    "connections_project/oauth/token_answers.py",
}  # fmt: skip


@pytest.mark.parametrize("text", SPRAWLING.values(), ids=SPRAWLING.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-le"])
def test_more_values_than_anybody_means_are_not_parsed(text: str, encoding: str) -> None:
    with pytest.raises(TooManyValuesError):
        load_json(text.encode(encoding))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_stands_in_strings_does_not_count(text: str) -> None:
    assert load_json(text.encode()) == json.loads(text)


def test_the_bound_is_exact() -> None:
    text = json.dumps(["," * MOST_VALUES, *range(MOST_VALUES - 1)]).encode()
    assert len(load_json(text)) == MOST_VALUES
    assert has_more_values(text[:-1] + b",1]", MOST_VALUES)


@pytest.mark.parametrize("piece", [b"[],", b'"",', b"\\\\", b'\\"', b'",', b'"\\', b"{", b'"'])
def test_counting_takes_as_many_steps_for_a_longer_text(piece: bytes) -> None:
    short = b",[" * 11_000 + piece * 50_000
    assert steps(lambda: has_more_values(20 * short, MOST_VALUES)) < 200
    assert peak(lambda: has_more_values(20 * short, MOST_VALUES)) < 5 * 20 * len(short)


def test_a_platforms_answer_of_too_many_values_is_malformed(failure: Failing) -> None:
    values = b"[" + b"[]," * MOST_ANSWERED_VALUES + b"[]]"
    answer = Answer(body=b'{"access_token": "at", "more": ' + values + b"}")
    assert failure(answer).code == "malformed"


def test_nothing_else_parses_what_comes_from_others() -> None:
    parsers = {
        str(path.relative_to(ROOT))
        for folder in ("connections_project", "audit", "providers", "channels", "social")
        for path in (ROOT / folder).rglob("*.py")
        if "sandbox" not in path.parts and _parses(ast.parse(path.read_text("utf-8")))
    }
    assert parsers == OWN


def _parses(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"loads", "load"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"json", "orjson"}
        for node in ast.walk(tree)
    )
