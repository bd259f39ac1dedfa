"""The lists of connections: they read well, find one among a million, and show no credential."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections_project.admin.base import MOST_COUNTED
from connections_project.identity.models import User
from providers.models import Connection
from social.models import SocialAccount
from tests.support.admin_pages import job_of, text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of

LIST = "/admin/providers/connection/"
MANY = 20_000

pytestmark = pytest.mark.django_db


def ids_on(client: Client, path: str = LIST, **query: str) -> list[str]:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return re.findall(r'name="_selected_action" value="([0-9a-f-]{36})"', answer.content.decode())


@pytest.fixture
def row(bank: Bank, owner: User) -> Connection:
    return connection_of(owner)


def test_a_row_shows_status_account_owner_and_age(
    page: Client, row: Connection, owner: User
) -> None:
    text = text_of(page, LIST)
    for words in ("active", "Bank", "Ada", owner.email, "ago"):
        assert words in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pending", "waiting"),
        ("revoked", "revoked there"),
        ("abandoned", "given up"),
        ("shared_grant", "shared grant"),
    ],
)
def test_a_row_shows_the_state_at_the_platform(
    page: Client, row: Connection, state: str, words: str
) -> None:
    job_of(row, "revoked")
    job_of(row, state)
    assert words in text_of(page, LIST)


def test_filters_narrow_by_status_platform_and_age(
    page: Client, row: Connection, owner: User
) -> None:
    dead = connection_of(owner, status="expired", account_id="customer-8")
    assert ids_on(page, status="expired") == [str(dead.pk)]
    assert ids_on(page, provider_slug="bank", status="active") == [str(row.pk)]
    assert ids_on(page, provider_slug="schwab") == []
    assert ids_on(page, age="hour") == [str(dead.pk), str(row.pk)]
    assert ids_on(page, age="older") == []


def test_search_finds_by_what_something_begins_with(
    page: Client, row: Connection, owner: User, outsider: User
) -> None:
    named("Grace", connection_of(outsider, account_id="customer-9"))
    named("Ada Lovelace 🏦", row)
    for word in (
        *(str(row.pk).upper(), str(row.pk)[:13], str(owner.pk), str(owner.pk).replace("-", "")),
        *(
            " Owner@Example.com ",
            "owner@",
            "OWN",
            "customer-7",
            "Ada",
            "ADA love",
            "ada lovelace 🏦",
        ),
    ):
        assert ids_on(page, q=word) == [str(row.pk)], word
    for word in (
        "example.com",
        "ustomer-7",
        "lovelace",
        str(row.pk)[:7],
        "a%",
        "_da",
        "\U0010ffff",
    ):
        assert ids_on(page, q=word) == [], word


def named(name: str, row: Connection) -> None:
    row.platform_account_name = name
    row.save()


def test_a_social_account_is_found_by_its_member(
    page: Client, bank: Bank, owner: User, teammate: User
) -> None:
    now = timezone.now()
    row = SocialAccount(team=owner.own_team, platform="threads", created_at=now, updated_at=now,
                        status="disconnected", is_active=False, disconnected_at=now,
                        platform_account_id="17")  # fmt: skip
    row.save()
    path = "/admin/social/socialaccount/"
    assert ids_on(page, path, q=teammate.email) == [str(row.pk)]
    assert ids_on(page, path, q="teamm") == [str(row.pk)]
    assert ids_on(page, path, q="nobody@example.com") == []


def test_no_page_shows_token_material(page: Client, row: Connection, owner: User) -> None:
    channel = channel_of(owner, channel="x")
    jobs = [job_of(row), job_of(channel)]
    ciphertexts = [row.auth_state, channel.auth_state, *(job.sealed_tokens for job in jobs)]
    secrets = ["access-0", "refresh-0", *(one.ciphertext for one in ciphertexts if one)]
    pages = [LIST, f"{LIST}{row.pk}/change/", "/admin/channels/channelconnection/",
             f"/admin/channels/channelconnection/{channel.pk}/change/",
             "/admin/revocation/revocationjob/",
             *(f"/admin/revocation/revocationjob/{job.pk}/change/" for job in jobs)]  # fmt: skip
    for path in pages:
        answer = page.get(path)
        assert answer.status_code == 200
        assert not [secret for secret in secrets if secret in answer.content.decode()]
        assert "auth_state" not in answer.content.decode()


def test_the_list_takes_under_ten_queries(page: Client, row: Connection, outsider: User) -> None:
    counts = []
    for number in range(3):
        job_of(connection_of(outsider, account_id=f"customer-{number}"))
        with CaptureQueriesContext(connection) as queries:
            page.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[-1] < 10


def test_a_long_list_is_counted_up_to_a_limit(page: Client, owner: User) -> None:
    now = timezone.now()
    Connection.objects.bulk_create(
        Connection(
            user=owner, provider_slug="bank", status="failed", created_at=now, updated_at=now
        )
        for _ in range(MOST_COUNTED + 1)
    )
    assert f"More than {MOST_COUNTED} provider connections" in text_of(page, LIST)
    assert len(ids_on(page, p="20")) == 50
    assert page.get(LIST, {"p": "21"}).status_code == 302


def test_what_a_search_finds_is_counted_in_no_order(page: Client, row: Connection) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert ids_on(page, q="Ada") == [str(row.pk)]
    counts = [one["sql"] for one in queries if "COUNT(*)" in one["sql"] and "LIMIT" in one["sql"]]
    assert len(counts) == 1
    assert "ORDER BY" not in counts[0]


@pytest.fixture
def many(owner: User, db: None) -> None:
    """Fill the tables so far that the planner has to choose."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has the planner that counts here")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO identity_user (id, password, is_superuser, email, principal_type,
                                          is_active, is_staff, created_at)
               SELECT gen_random_uuid(), '', false, n || '@x.org', 'user', true, false, now()
               FROM generate_series(1, %s) n""",
            [MANY],
        )
        cursor.execute(
            """INSERT INTO providers_connection (id, user_id, provider_slug, status, epoch,
                 has_refresh_token, granted_scope, client_id, authority, platform_account_id,
                 platform_account_name, created_at, updated_at)
               SELECT gen_random_uuid(), id, (ARRAY['schwab','monzo','coinbase'])[1 + n % 3],
                 CASE WHEN n % 1000 = 0 THEN 'expired' ELSE 'failed' END, 0, false, '', '', '',
                 'account-' || n, '', now(), now()
               FROM (SELECT id, row_number() OVER () AS n FROM identity_user) AS people"""
        )
        cursor.execute(
            """INSERT INTO revocation_revocationjob (id, app, platform, connection_id, owner_id,
                 authority, client_id, state, attempts, last_error, created_at, due_at, finished_at,
                 trace_id)
               SELECT gen_random_uuid(), 'providers', 'monzo', id, user_id, '', '', 'revoked', 1,
                 '', now(), now(), now(), '' FROM providers_connection"""
        )
        cursor.execute("ANALYZE identity_user, providers_connection, revocation_revocationjob")


JOBS = "/admin/revocation/revocationjob/"
LARGE = {"identity_user", "providers_connection", "revocation_revocationjob"}
QUERIES: list[dict[str, str]] = [
    {},
    {"p": "10"},
    {"status": "expired"},
    {"status": "failed"},
    {"status": "active"},
    {"provider_slug": "monzo"},
    {"provider_slug": "monzo", "status": "expired"},
    {"age": "older"},
    {"age": "week", "status": "expired"},
    {"q": "account-77"},
    {"q": "77@x.org"},
    {"q": "01a2120c-fa6a-714b-b031-524c651f63d2"},
    {"q": "account-77", "status": "expired"},
    {"q": "77@x"},
    {"q": "ada"},
    {"q": "01a2120c-fa6a"},
    {"o": "1", "status": "expired"},
    {"from": "2026-01-01"},
]
JOB_QUERIES: list[dict[str, str]] = [
    {"state": "pending"},
    {"state": "abandoned"},
    {"verification": "still_alive"},
    {"verification": "verified_dead"},
    {"platform": "schwab"},
    {"q": "01a2120c-fa6a"},
]


def test_no_query_of_the_list_scans_a_table(page: Client, many: None) -> None:
    asked = [(LIST, query) for query in QUERIES] + [(JOBS, query) for query in JOB_QUERIES]
    for path, query in asked:
        with CaptureQueriesContext(connection) as queries:
            assert page.get(path, query).status_code == 200
        assert len(queries) < 10
        selects = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
        for sql in selects:
            assert not scanned_by(sql) & LARGE, (path, query, sql)


AUDIT_QUERIES: list[dict[str, str]] = [
    {},
    {"outcome": "failure"},
    {"from": "2026-01-01"},
    {"q": "trace-77"},
    {"q": "rare_action"},
    {"q": "01a2120c-fa6a-714b-b031-524c651f63d2"},
]


def test_no_query_of_the_audit_list_scans_the_log(page: Client) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has the planner that counts here")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audit_auditevent (id, occurred_at, action, outcome, actor_type,
                 interface, subject_type, subject_id, reason, trace_id, details)
               SELECT gen_random_uuid(), now(),
                 CASE WHEN n %% 5000 = 0 THEN 'rare_action' ELSE 'provider_updated' END,
                 CASE WHEN n %% 5000 = 1 THEN 'failure' ELSE 'success' END,
                 'system', 'worker', 'x', gen_random_uuid(), '', 'trace-' || n, '{}'
               FROM generate_series(1, %s) n""",
            [MANY],
        )
        cursor.execute("ANALYZE audit_auditevent")
    for query in AUDIT_QUERIES:
        with CaptureQueriesContext(connection) as queries:
            assert page.get("/admin/audit/auditevent/", query).status_code == 200
        assert len(queries) < 10
        for each in queries:
            if each["sql"].startswith("SELECT"):
                assert "audit_auditevent" not in scanned_by(each["sql"]), (query, each["sql"])


def scanned_by(sql: str) -> set[str]:
    """Name the tables that PostgreSQL would read from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql)
        plan = cursor.fetchone()[0]
    nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    scanned = set()
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan":
            scanned.add(node["Relation Name"])
    return scanned
