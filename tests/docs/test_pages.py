"""The pages for readers, kept in step with the code: paths, links, settings, catalogue keys."""

import ast
import re
import subprocess
import tomllib
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from connections_project.api import rate_limits
from connections_project.api.rate_limits import Policy
from connections_project.oauth.catalog_rules import PLATFORM, REVOCATION
from connections_project.oauth.platform_entries import Platform, Revocation
from tests.support.process_environment import ROOT

NAMES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = sorted([*ROOT.glob("docs/*.md"), *map(ROOT.joinpath, NAMES)])
CATALOG, SETTINGS = ROOT / "docs" / "catalog.md", ROOT / "docs" / "settings.md"
OPERATING = ROOT / "docs" / "operating.md"
TOP = (
    *("connections_project", "audit", "providers", "channels", "social"),
    *("templates", "tests", "bench", "docs", r"\.ci"),
)
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(TOP)})/[\w./-]*[\w/]")
# What is there once it was made.
MADE = {"bench/results/"}
LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")
CITATION = re.compile(r'(docs/[a-z]+\.md)(?:, "([^"]+)"(?: and "([^"]+)")?)?')

COMMAND = re.compile(r"manage\.py ([a-z_]+)")
OUR_APPS = ("connections_project", "audit", "providers", "channels", "social")
TARGET = re.compile(r"(?:^|`)make (?:-s )?([a-z-]+)", re.MULTILINE)
METRICS = re.compile(r"connections_project/(core/instruments|metrics/\w+)\.py")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def headings(page: Path) -> set[str]:
    """Return the texts of a page's headings."""
    return set(re.findall(r"^#+ (.+)$", text_of(page), flags=re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(page))
    return {heading.replace(" ", "-") for heading in kept}


def rows(page: Path, section: str = "") -> dict[str, str]:
    """Return what tables say of the names in their first column: the second column's text.

    Args:
        page: Which.
        section: The heading of the first table to read, which is then the only one; all otherwise.
    """
    text = text_of(page)
    if section:
        below = text.partition(f"\n## {section}\n")[2]
        text = below.partition("\n| --- ")[2].partition("\n\n")[0]
    found = re.findall(r"^\| `([^`]+)` \| ([^|]*)\|", text, flags=re.MULTILINE)
    return {name: cell.strip() for name, cell in found}


@cache
def tracked() -> tuple[str, ...]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return tuple(subprocess.check_output(command, cwd=ROOT, text=True).splitlines())


@each_page
def test_each_path_exists(page: Path) -> None:
    paths = {path.rstrip(".") for path in PATH.findall(text_of(page))} - MADE
    assert not [path for path in paths if not (ROOT / path).exists()]


@each_page
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(text_of(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_each_citation_in_the_code_names_a_section() -> None:
    found = 0
    for name in tracked():
        if not name.endswith((".py", ".toml", ".yaml")) or not (ROOT / name).exists():
            continue
        for path, *sections in CITATION.findall(text_of(ROOT / name)):
            found += 1
            assert (ROOT / path).exists(), name
            assert set(filter(None, sections)) <= headings(ROOT / path), name
    assert found > 20


def settings_read() -> dict[str, str]:
    """Return the variables that settings.py reads, each with its default where that is plain."""
    module = ast.parse(text_of(ROOT / "connections_project" / "settings.py"))
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and node.args]
    read: dict[str, str] = {}
    for call in calls:
        values = [each.value for each in call.args if isinstance(each, ast.Constant)]
        if not ast.unparse(call.func).startswith(("_env.", "os.environ.get")) or not values:
            continue
        name, default = str(values[0]), str(values[1]) if len(values) > 1 else ""
        if name.isupper():
            read[name] = default or read.get(name, "")
    # Both are read by a loop over their names.
    return read | dict.fromkeys(("AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY"), "")


def test_settings_and_their_page_agree() -> None:
    read, explained = settings_read(), rows(SETTINGS)
    assert {"SECRET_KEY", "ENV_FILE", "REVOCATION_THREADS"} <= read.keys()
    names = ("CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URIS", "WEBHOOK_KEY")
    of_clients = {f"OAUTH_<SLUG>_{one}" for one in names}
    of_policies = {"RATE_LIMIT_<POLICY>"}
    assert explained.keys() == read.keys() | of_clients | of_policies


def test_default_values_on_the_page_are_right() -> None:
    explained = rows(SETTINGS)
    numbers = {name: default for name, default in settings_read().items() if default.isdigit()}
    assert len(numbers) > 10
    assert numbers == {name: explained[name].strip("`") for name in numbers}


@pytest.mark.parametrize(
    ("section", "keys", "entry"),
    [
        ("Keys of a platform", {*PLATFORM, "revocation"}, Platform),
        ("Keys of its revocation", {*REVOCATION}, Revocation),
    ],
)
def test_each_catalogue_key_has_its_default(section: str, keys: set[str], entry: type[Any]) -> None:
    explained = rows(CATALOG, section)
    assert explained.keys() == keys
    defaults = {each.name: each.default for each in fields(entry)}
    literal = {name: cell.strip("`") for name, cell in explained.items() if cell.startswith("`")}
    assert len(literal) > 4
    for name, text in literal.items():
        value = tomllib.loads(f"value = {text}")["value"]
        if isinstance(value, str | int | bool):
            assert value == defaults[name], name


def test_commands_and_their_page_agree() -> None:
    named = {name for page in PAGES for name in COMMAND.findall(text_of(page))}
    known = get_commands()
    assert named <= known.keys()
    ours = {name for name, app in known.items() if app.startswith(OUR_APPS)}
    listed = set(COMMAND.findall(text_of(OPERATING)))
    short = set(re.findall(r"`([a-z_]+)[^`]*`", text_of(OPERATING)))
    assert ours <= listed | short


def test_each_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    named = {name for page in PAGES for name in TARGET.findall(text_of(page))}
    assert named
    assert named <= targets


def test_each_alert_says_what_to_do() -> None:
    (group,) = yaml.safe_load(text_of(ROOT / "deploy/prometheus/alerts.yml"))["groups"]
    table = text_of(OPERATING).partition("| alert | what to do |")[2].partition("\n\n")[0]
    named = [
        re.findall(r"`(Connections\w+)`", line.split("|")[1]) for line in table.split("\n")[2:]
    ]
    assert {name for names in named for name in names} == {rule["alert"] for rule in group["rules"]}


def test_the_rate_limits_are_those_that_are_explained() -> None:
    table = r"^\| `([A-Z_]+)` \| (\d+) \| (\d+) \|"
    explained = re.findall(table, text_of(ROOT / "docs" / "api.md"), flags=re.MULTILINE)
    policies = [each for each in vars(rate_limits).values() if isinstance(each, Policy)]
    assert sorted(explained) == sorted(
        (each.name, str(each.burst), str(each.per_minute)) for each in policies
    )


def test_the_metrics_are_those_that_are_explained() -> None:
    explained = set(re.findall(r"^\| `(connections_\w+)`", text_of(OPERATING), re.MULTILINE))
    code = "".join(text_of(ROOT / name) for name in tracked() if METRICS.match(name))
    written = set(re.findall(r'"(connections_\w+)"', code))
    assert len(written) > 5
    assert {name.removesuffix("_total") for name in explained} == {
        name.removesuffix("_total") for name in written
    }


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 250
