"""Alert rules and dashboard speak of metrics that there are, with labels that these have."""

import json
import re
from typing import Any, get_args

import pytest
import yaml
from django.conf import LazySettings
from django.test import Client
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from connections_project.core.instruments import REGISTRY
from connections_project.core.jobs.circuit import FAILURES_TO_OPEN
from connections_project.metrics.collector import MetricsCollector
from connections_project.oauth.errors import ErrorCode
from connections_project.revocation.circuits import note_failure
from tests.support.process_environment import ROOT
from tests.support.prometheus import RULES

DASHBOARD = ROOT / "deploy" / "grafana" / "connections.json"
NAME = re.compile(r"\bconnections_[a-z_]+")
BY, BRACES, CHOICE = (
    re.compile(one) for one in (r"by \(([^)]*)\)", r"connections_\w+\{([^}]*)\}", r"(\w+)=~?\"")
)


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + shown


def known(families: list[Metric]) -> set[str]:
    endings = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}
    return {
        f"{family.name}{ending}"
        for family in families
        for ending in endings.get(family.type, ("",))
    }


@pytest.mark.django_db
def test_each_metric_is_one_of_ours() -> None:
    note_failure("bank")
    there = known([*MetricsCollector().collect(), *REGISTRY.collect()])
    used = {name for expression in expressions() for name in NAME.findall(expression)}
    assert used <= there
    # And all that there is can be seen on the dashboard or wakes somebody.
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in used}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in there} <= shown


def labels_of() -> dict[str, set[str]]:
    """Return the labels of each of our metrics, by its name without an ending."""
    tables = [one for one in MetricsCollector().collect() if isinstance(one, GaugeMetricFamily)]
    counted = [one for one in REGISTRY._collector_to_names if isinstance(one, MetricWrapperBase)]
    found = {one.name: set(one._labelnames) for one in tables}
    return found | {one._name: {*one._labelnames, "le"} for one in counted}


@pytest.mark.django_db
def test_each_label_is_one_that_the_metric_has() -> None:
    labels = labels_of()
    for expression in expressions():
        names = {re.sub("_(bucket|count|sum|total)$", "", one) for one in NAME.findall(expression)}
        grouped = [one for group in BY.findall(expression) for one in group.split(", ")]
        chosen = [one for inside in BRACES.findall(expression) for one in CHOICE.findall(inside)]
        for name in names:
            assert {*grouped, *chosen} <= labels[name], expression


def test_what_a_rule_says_names_labels_that_are_left() -> None:
    for rule in rules():
        said = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        left = [one for group in BY.findall(rule["expr"]) for one in group.split(", ")]
        assert set(said) <= {*left, "instance"}, rule["alert"]
        assert "instance" not in said or not left


def test_each_outcome_of_a_call_is_one_that_calls_have() -> None:
    chosen = re.findall(r'outcome=~?"([a-z_|]+)"', " ".join(expressions()))
    codes = {*get_args(ErrorCode), "success", "given_up", "delivered", "failed"}
    assert {one for group in chosen for one in group.split("|")} <= codes


def test_each_rule_says_how_urgent_and_what() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert f"`{rule['alert']}`" in text


@pytest.mark.django_db
def test_every_metric_is_documented_and_rendered(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "a token for the metrics"
    for _ in range(FAILURES_TO_OPEN):
        note_failure("bank")
    header = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    text = client.get("/metrics", headers=header).content.decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    found = {(one.name, *one.labels.values()) for one in samples}
    assert ("connections_circuit_open", "revocations", "bank") in found
    versions = next(one.labels for one in samples if one.name == "connections_build_info")
    assert versions["version"] in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [
        name
        for name in known(list(MetricsCollector().collect()))
        if name.startswith("connections_")
        and re.sub("_(bucket|count|sum)$", "", name) not in documented
    ] == []
