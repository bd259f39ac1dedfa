"""A filtered list as a file: what is declared, whole, harmless to spreadsheets, and audited."""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Timer
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from connections_project.admin import base, exports
from connections_project.admin.exports import BATCH
from connections_project.core.places import a_place, places
from connections_project.core.text import escaped
from connections_project.identity.models import User
from providers.models import Account, Connection, Transaction
from tests.admin.test_connection_lists import named
from tests.support.admin_pages import job_of, many
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of

LIST = "/admin/providers/connection"

pytestmark = pytest.mark.django_db


def body(client: Client, path: str, **query: str) -> str:
    answer: Any = client.get(path, query)
    assert answer.status_code == 200, path
    return b"".join(answer.streaming_content).decode()


def as_csv(client: Client, path: str = f"{LIST}/export.csv", **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(body(client, path, **query).splitlines()))


def as_json(client: Client, path: str = f"{LIST}/export.jsonl", **query: str) -> list[Any]:
    return [json.loads(line) for line in body(client, path, **query).splitlines()]


@pytest.fixture
def rows(bank: Bank, owner: User) -> list[Connection]:
    return [connection_of(owner), connection_of(owner, status="expired", account_id="customer-8")]


def test_what_matches_is_exported_newest_first(
    page: Client, rows: list[Connection], owner: User
) -> None:
    ids = [str(row.pk) for row in reversed(rows)]
    assert [row["id"] for row in as_csv(page)] == ids
    assert [row["id"] for row in as_json(page)] == ids
    assert [row["id"] for row in as_csv(page, status="expired")] == ids[:1]
    (found,) = as_json(page, q="customer-7", o="1", p="0")
    assert found["user_id"] == str(owner.pk)
    assert found["status"] == "active"
    assert found["connected_at"].endswith("Z")
    assert found["disconnected_at"] is None


def test_a_cell_is_never_a_formula(page: Client, rows: list[Connection]) -> None:
    row = rows[0]
    for begins in ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"):
        name = f'{begins}HYPERLINK("https://evil.example.com")'
        named(name, row)
        text = body(page, f"{LIST}/export.csv", status="active")
        cells = next(csv.DictReader(text.splitlines(keepends=True)))
        assert cells["platform_account_name"] == f"'{name}".replace("\r", "\\r")
        assert as_json(page, status="active")[0]["platform_account_name"] == name
    named('Ada = Bea, "C"', row)
    assert as_csv(page, status="active")[0]["platform_account_name"] == 'Ada = Bea, "C"'


HOSTILE = "\x1b]0;x\x07\x7f\x9b1m\u202e\u200f\x00\r"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_no_export_moves_a_terminal(
    page: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "batches", hostile)
    exporting = [(model, one) for model, one in admin.site._registry.items() if exported(one)]
    assert len(exporting) >= 10
    for model, its_admin in exporting:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_export"
        text = body(page, reverse(name, args=[kind]))
        assert escaped(text.replace("\r\n", "\n")) == text.replace("\r\n", "\n"), model
        assert text.count("u202e") == len(exported(its_admin)), model


def hostile(_: Any, read: Any) -> list[list[list[str]]]:
    """Give one row to export, of as many cells as the admin that reads it has columns."""
    return [[[HOSTILE] * len(exported(read.__self__))]]


def exported(its_admin: Any) -> tuple[str, ...]:
    columns: tuple[str, ...] = getattr(its_admin, "export_columns", ())
    return columns


def test_amounts_stay_numbers(page: Client, rows: list[Connection]) -> None:
    now = rows[0].created_at
    account = Account.objects.create(
        connection=rows[0], platform_account_id="1", created_at=now, updated_at=now
    )
    Transaction.objects.create(
        account=account, platform_transaction_id="1", posted_at=now, amount="-5.00"
    )
    for found in (as_csv, as_json):
        kind = "csv" if found is as_csv else "jsonl"
        (row,) = found(page, f"/admin/providers/transaction/export.{kind}")
        assert row["amount"].startswith("-5")


def test_no_export_has_a_secret(page: Client, rows: list[Connection], owner: User) -> None:
    channel = channel_of(owner, channel="x")
    jobs = [job_of(rows[0]), job_of(channel)]
    sealed = [*(row.auth_state for row in (*rows, channel)), *(job.sealed_tokens for job in jobs)]
    secrets = ["access-0", "refresh-0", owner.password, *(one.ciphertext for one in sealed if one)]
    for model, its_admin in admin.site._registry.items():
        columns: tuple[str, ...] = its_admin.export_columns  # type: ignore[attr-defined]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_export"
        answer: Any = page.get(reverse(name, args=["jsonl"]))
        if not columns:
            assert answer.status_code == 403, model
            continue
        exported = b"".join(answer.streaming_content).decode()
        assert not [secret for secret in secrets if secret in exported], model
        for word in ("password", "secret", "auth_state", "sealed", "sha256", "hash"):
            assert not [column for column in columns if word in column], model


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_half_a_list_says_so_at_its_end(
    page: Client,
    rows: list[Connection],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(exports, "BATCH", 1)
    answer: Any = page.get(f"{LIST}/export.{kind}")
    parts = iter(answer.streaming_content)
    found = [next(parts) for _ in range(2 if kind == "csv" else 1)]
    with connection.execute_wrapper(_away):
        found += parts
    head, last = b"".join(found).splitlines()[-2:]
    assert str(rows[1].pk).encode() in head
    assert b"INCOMPLETE" in last
    assert "An export was cut" in caplog.text


def test_who_is_deactivated_gets_no_further_rows(
    page: Client, rows: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 1)
    answer: Any = page.get(f"{LIST}/export.jsonl")
    parts = iter(answer.streaming_content)
    assert str(rows[1].pk).encode() in next(parts)
    User.objects.filter(is_staff=True).update(is_active=False)
    rest = b"".join(parts)
    assert str(rows[0].pk).encode() not in rest
    assert b"INCOMPLETE" in rest


def _away(*_: Any) -> Any:
    raise OperationalError("gone")


def test_it_is_audited_without_naming_anybody(page: Client, rows: list[Connection]) -> None:
    as_csv(page, status="expired", q="owner@example.com")
    event = AuditEvent.objects.get(action="list_exported")
    assert (event.actor_type, event.interface) == ("operator", "admin")
    assert event.subject_type == "providers.connection"
    filters = {"status": "expired", "q": "(given)"}
    assert event.details == {"format": "csv", "filters": filters}
    as_csv(page, "/admin/audit/auditevent/export.csv", actor="owner@example.com")
    last = AuditEvent.objects.filter(action="list_exported").latest("id")
    assert last.details["filters"] == {"actor": "(given)"}


def test_who_may_view_may_export_and_nobody_else(
    auditors_page: Client, client: Client, owner: User, rows: list[Connection]
) -> None:
    assert len(as_csv(auditors_page)) == 2
    assert client.get(f"{LIST}/export.csv").status_code == 302
    staff = User.objects.create_user("new@example.com", is_staff=True)
    client.force_login(staff)
    assert client.get(f"{LIST}/export.csv").status_code == 403
    assert AuditEvent.objects.filter(action="list_exported").count() == 1


def test_what_means_nothing_is_refused(page: Client, rows: list[Connection]) -> None:
    for path in ("export.xml", "export.csv?status=nonsense", "export.csv?password__startswith=md5"):
        assert page.get(f"{LIST}/{path}").status_code == 400, path
    assert not AuditEvent.objects.filter(action="list_exported").exists()


def test_rows_are_read_in_batches(page: Client, owner: User) -> None:
    many(owner, 2 * BATCH + 1)
    answer: Any = page.get(f"{LIST}/export.jsonl")
    with CaptureQueriesContext(connection) as queries:
        parts = [part.decode().count("\n") for part in answer.streaming_content]
    assert parts == [BATCH, BATCH, 1]
    # Besides, three for each part: what the operator may see by then.
    read = [one for one in queries if 'FROM "providers_connection"' in one["sql"]]
    assert (len(read), len(queries)) == (4, 13)
    assert not [one for one in queries if "auth_state" in one["sql"] or "OFFSET" in one["sql"]]


@pytest.fixture
def few_threads(settings: LazySettings) -> Iterator[None]:
    settings.WEB_THREADS = 16
    places.cache_clear()
    yield
    places.cache_clear()


@pytest.mark.usefixtures("few_threads")
def test_exports_leave_threads_for_others(page: Client, settings: LazySettings) -> None:
    most = settings.WEB_THREADS // 4
    path = f"{LIST}/export.csv"
    unread: list[Any] = [page.get(path) for _ in range(most)]
    with CaptureQueriesContext(connection) as queries:
        refused = page.get(f"{path}?q=owner@example.com")
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    # Before a filter is looked at.
    assert not [one for one in queries if "providers_connection" in one["sql"]]
    assert AuditEvent.objects.filter(action="list_exported").count() == most
    for answer in unread:
        assert list(answer.streaming_content)
    for _ in range(2 * most):
        assert page.get(f"{path}?status=nonsense").status_code == 400
        assert body(page, path)


@pytest.mark.usefixtures("few_threads")
def test_a_list_waits_for_anothers(page: Client, settings: LazySettings) -> None:
    held = ExitStack()
    for _ in range(settings.WEB_THREADS // 4):
        held.enter_context(a_place("admin_lists"))
    Timer(0.2, held.close).start()
    assert page.get(f"{LIST}/").status_code == 200


@pytest.mark.usefixtures("few_threads")
def test_lists_leave_threads_for_others(
    page: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LIST_SECONDS", 0.1)
    with ExitStack() as stack:
        for _ in range(settings.WEB_THREADS // 4):
            stack.enter_context(a_place("admin_lists"))
        for path in (LIST, "/admin/audit/auditevent"):
            refused = page.get(f"{path}/?q=owner@example.com")
            assert (refused.status_code, refused["Retry-After"]) == (503, "1"), path
            assert refused["Content-Type"].startswith("text/html")
        assert page.get("/admin/").status_code == 200
    for _ in range(settings.WEB_THREADS):
        assert page.get(f"{LIST}/").status_code == 200
        assert page.get(f"{LIST}/?status=nonsense").status_code != 503
