"""Facebook Pages, Instagram and Threads: their grants, as their shipped entries have them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import Interface
from connections_project.connections.registry import connection_types
from connections_project.connections.renewal import renew_ending_grants
from connections_project.identity.models import Team
from connections_project.revocation.attempts import attempt
from connections_project.revocation.models import RevocationJob
from social.adapters.meta import grants
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.social.conftest import Meta
from tests.support.disconnects import disconnect_one
from tests.support.gallery import call_back, connect, start
from tests.support.meta_graph import DEAD, REMOVED, USER, Graph
from tests.support.platform_server import Answer, PlatformServer
from tests.support.provider_rows import events

PAGES = ("facebook_page", "instagram_business")
# Grants are renewed in threads.
in_threads = pytest.mark.django_db(transaction=True)


def test_a_page_is_kept_with_its_token_and_granter(api: APIClient, meta: Meta) -> None:
    meta("facebook_page")
    rows = connect(api, "facebook_page")
    assert [row.platform_account_id for row in rows] == ["71", "72", "73"]
    assert [row.platform_account_name for row in rows] == ["Page 71", "Page 72", "Page 73"]
    for row in rows:
        # Asked for with the long-lived token, so that it has no end date.
        assert row.opened().as_payload() == {
            "access_token": f"page-{row.platform_account_id}-by-long-1",
            "refresh_token": "long-1",
        }
        assert (row.granting_user_id, row.token_set) == (USER, None)
        assert row.token_expires_at is None
        assert row.grant_expires_at is not None
        assert timedelta(days=59) < row.grant_expires_at - timezone.now() < timedelta(days=61)


def test_an_instagram_account_has_its_pages_token(api: APIClient, meta: Meta) -> None:
    meta("instagram_business")
    rows = connect(api, "instagram_business")
    # The first Page has none.
    assert [row.platform_account_id for row in rows] == ["1772", "1773"]
    assert rows[0].platform_account_name == "@insta72"
    assert rows[0].opened().access_token == "page-72-by-long-1"
    assert rows[0].granting_user_id == USER


def test_a_threads_profile_renews_its_own_token(api: APIClient, meta: Meta) -> None:
    graph = meta("threads")
    (row,) = connect(api, "threads")
    assert (row.platform_account_id, row.platform_account_name) == (USER, "@ada")
    assert row.opened().as_payload() == {"access_token": "long-1", "refresh_token": "long-1"}
    (asked,) = graph.sent("/access_token")
    assert asked.query == {
        "grant_type": "th_exchange_token",
        "client_secret": "client secret",
        "access_token": "short",
    }


@pytest.mark.parametrize("slug", PAGES)
def test_the_long_lived_exchange_is_as_documented(api: APIClient, meta: Meta, slug: str) -> None:
    graph = meta(slug)
    connect(api, slug)
    code, exchange = graph.sent("/oauth/access_token")
    assert (code.method, code.form["code"]) == ("POST", "the-code")
    assert (exchange.method, exchange.query["fb_exchange_token"]) == ("GET", "short")
    assert exchange.query["grant_type"] == "fb_exchange_token"
    assert exchange.query["client_id"] == "our client"


def test_all_lists_of_pages_are_followed(api: APIClient, meta: Meta) -> None:
    graph = meta("facebook_page")
    graph.pages = [str(number) for number in range(10, 25)]
    assert len(connect(api, "facebook_page")) == 15
    asked = [request.query.get("after", "") for request in graph.sent("/me/accounts")]
    assert asked == ["", "2", "4", "6", "8", "10", "12", "14"]
    # The fields that the entry asks for go along with each.
    assert all("access_token" in one.query["fields"] for one in graph.sent("/me/accounts"))


def test_lists_may_overlap(api: APIClient, meta: Meta) -> None:
    meta("facebook_page").pages = ["10", "11", "11", "12"]
    rows = connect(api, "facebook_page")
    assert [row.platform_account_id for row in rows] == ["10", "11", "12"]


def test_lists_may_go_round_in_a_circle(api: APIClient, meta: Meta) -> None:
    graph = meta("facebook_page")
    again = {"cursors": {"after": "2"}, "next": "https://graph.facebook.com/next"}
    answer = Answer(json={"data": [graph.page("10", "long-1")], "paging": again})
    graph.on("GET", "/me/accounts", answer)
    assert len(connect(api, "facebook_page")) == 1
    assert len(graph.sent("/me/accounts")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(body=b"<html>"),
        Answer(json={"data": {}}),
        DEAD,
        Answer(json={"data": [], "paging": {"next": "https://[x"}}),
        Answer(json={"data": [], "paging": {"next": "https://x/", "cursors": {"after": "\ud800"}}}),
    ],
)
def test_a_grant_whose_pages_can_not_be_had_is_revoked(
    api: APIClient, meta: Meta, answer: Answer
) -> None:
    graph = meta("facebook_page")
    graph.on("GET", "/me/accounts", answer)
    assert call_back(api, start(api, "facebook_page")).status_code == 502
    graph.on("GET", "/me", REMOVED)
    job = RevocationJob.objects.get()
    assert attempt(job.pk, within=5.0, interface=Interface.WORKER) == "revoked"
    assert len(graph.sent(f"/{USER}/permissions")) == 1


def test_pages_beyond_the_bound_are_no_secret(
    api: APIClient,
    meta: Meta,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(grants, "MOST_LISTS", 2)
    meta("facebook_page").pages = ["10", "11", "12", "13", "14"]
    assert len(connect(api, "facebook_page")) == 4
    assert "Pages beyond 2 lists are left out" in caplog.text


@pytest.mark.parametrize("slug", [*PAGES, "threads"])
@pytest.mark.parametrize("answer", [DEAD, Answer(500), Answer(200, json={}), Answer(reset=True)])
def test_an_exchange_that_fails_connects_nothing(
    api: APIClient, meta: Meta, slug: str, answer: Answer
) -> None:
    graph = meta(slug)
    for path in ("/oauth/access_token", "/access_token"):
        graph.on("GET", path, answer)
    started = api.post(
        "/api/v1/plugin/social-media-publisher/social/connect", {"platform": slug}, format="json"
    )
    query = {"state": started.json()["state"], "code": "c"}
    answered = api.post("/api/v1/plugin/social-media-publisher/social/callback", query_params=query)
    assert answered.status_code == 502
    assert not SocialAccount.objects.exists()


# Renewal: what is exchanged for itself, while it lives.


def due(rows: list[SocialAccount]) -> None:
    """Let the grants end in a fortnight."""
    ends = timezone.now() + timedelta(days=14)
    then = timezone.now() - timedelta(days=46)
    keys = [row.pk for row in rows]
    SocialAccount.objects.filter(pk__in=keys).update(
        grant_expires_at=ends, token_issued_at=then, renew_at=timezone.now()
    )


@in_threads
@pytest.mark.parametrize("slug", PAGES)
def test_a_users_token_is_renewed_the_pages_stay(api: APIClient, meta: Meta, slug: str) -> None:
    meta(slug)
    row, *_ = rows = connect(api, slug)
    due(rows[:1])
    assert renew_ending_grants() == 1
    row.refresh_from_db()
    assert row.opened().as_payload() == {
        "access_token": rows[0].opened().access_token,
        "refresh_token": "long-2",
    }
    assert row.grant_expires_at is not None
    assert row.grant_expires_at - timezone.now() > timedelta(days=59)
    (event,) = events("account_token_refreshed")
    assert (event.actor_type, event.interface) == ("system", "worker")


@in_threads
def test_a_threads_token_is_renewed_with_itself(api: APIClient, meta: Meta) -> None:
    graph = meta("threads")
    rows = connect(api, "threads")
    due(rows)
    assert renew_ending_grants() == 1
    (row,) = SocialAccount.objects.all()
    assert row.opened().as_payload() == {"access_token": "long-2", "refresh_token": "long-2"}
    (asked,) = graph.sent("/refresh_access_token")
    assert asked.query == {"grant_type": "th_refresh_token", "access_token": "long-1"}


@in_threads
@pytest.mark.parametrize(
    ("slug", "path", "access_token"),
    [
        ("facebook_page", "/oauth/access_token", "page-71-by-long-1"),
        ("instagram_business", "/oauth/access_token", "page-72-by-long-1"),
        ("threads", "/refresh_access_token", "long-odd"),
    ],
)
def test_a_renewed_token_in_an_odd_answer_has_its_place(
    api: APIClient, meta: Meta, slug: str, path: str, access_token: str
) -> None:
    graph = meta(slug)
    row, *_ = rows = connect(api, slug)
    due(rows[:1])
    graph.on("GET", path, Answer(json=[{"access_token": "long-odd"}]))
    renew_ending_grants()
    row.refresh_from_db()
    assert row.status == "active"
    stored = {"access_token": access_token, "refresh_token": "long-odd"}
    assert row.opened().as_payload() == stored


@in_threads
def test_what_is_not_due_is_left_alone(api: APIClient, meta: Meta) -> None:
    graph = meta("threads")
    connect(api, "threads")
    asked = len(graph.server.requests)
    assert renew_ending_grants() == 0
    # Half of the 60 days that such a token lives.
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        assert renew_ending_grants() == 0
    assert len(graph.server.requests) == asked


@in_threads
def test_a_disconnected_account_is_never_renewed(api: APIClient, meta: Meta) -> None:
    graph = meta("threads")
    (row,) = rows = connect(api, "threads")
    due(rows)
    api.delete(f"/api/v1/plugin/social-media-publisher/social/disconnect/{row.pk}")
    asked = len(graph.server.requests)
    assert renew_ending_grants() == 0
    assert len(graph.server.requests) == asked


@in_threads
def test_a_passing_fault_is_retried_hours_later(api: APIClient, meta: Meta) -> None:
    graph = meta("threads")
    due(connect(api, "threads"))
    graph.on("GET", "/refresh_access_token", Answer(500), Answer(json={"access_token": "new"}))
    assert renew_ending_grants() == renew_ending_grants() == 0
    assert len(graph.sent("/refresh_access_token")) == 1
    assert SocialAccount.objects.get().status == "active"
    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        assert renew_ending_grants() == 1
    assert SocialAccount.objects.get().opened().access_token == "new"


@in_threads
@pytest.mark.parametrize(("answer", "status"), [(DEAD, "expired"), (REMOVED, "revoked")])
def test_a_dead_grant_is_no_passing_fault(
    api: APIClient, meta: Meta, answer: Answer, status: str
) -> None:
    graph = meta("threads")
    due(connect(api, "threads"))
    graph.on("GET", "/refresh_access_token", answer)
    assert renew_ending_grants() == 0
    row = SocialAccount.objects.get()
    assert (row.status, row.is_active) == (status, False)


@in_threads
@pytest.mark.parametrize(
    "fault", [{"code": 4}, {"code": 2}, {"code": 10}, {"code": 200}, {"code": 368}]
)
def test_other_codes_of_the_graph_kill_nothing(
    api: APIClient, meta: Meta, fault: dict[str, Any]
) -> None:
    graph = meta("threads")
    due(connect(api, "threads"))
    graph.on("GET", "/refresh_access_token", Answer(400, json={"error": fault}))
    renew_ending_grants()
    assert SocialAccount.objects.get().status == "active"


def test_with_nothing_due_it_is_one_statement_a_type(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(len(connection_types())):
        renew_ending_grants()


# Revocation: the whole grant, as the app itself, by the last of its accounts.


def test_only_the_last_of_three_is_revoked(api: APIClient, meta: Meta, team: Team) -> None:
    graph = meta("facebook_page")
    first, second, last = connect(api, "facebook_page")
    graph.server.requests.clear()
    for row in (first, second):
        assert disconnect_one(row, erase_tokens=True) == "shared_grant"
    assert [one.details["result"] for one in events("token_revocation_skipped")] == [
        "shared_grant"
    ] * 2
    assert disconnect_one(last, erase_tokens=True) == "pending"
    job = RevocationJob.objects.get()
    graph.on("GET", "/me", REMOVED)
    assert attempt(job.pk, within=5.0, interface=Interface.WORKER) == "revoked"
    sent, probe = graph.server.requests
    assert (probe.method, probe.path) == ("GET", "/v25.0/me")
    assert (sent.method, sent.path) == ("DELETE", f"/v25.0/{USER}/permissions")
    assert sent.headers["Authorization"] == "Bearer our client|client secret"
    assert SocialAccount.objects.get(pk=last.pk).auth_state is None


def test_page_and_instagram_account_are_siblings(
    api: APIClient, server: PlatformServer, use_catalogue: UseCatalogue
) -> None:
    page, insta = Graph(server, "facebook_page"), Graph(server, "instagram_business")
    use_catalogue(f"{page.overlay()}\n{insta.overlay()}", *PAGES)
    page.open()
    page.pages = ["72"]
    (one,) = connect(api, "facebook_page")
    (other,) = connect(api, "instagram_business")
    assert one.grant == other.grant
    assert disconnect_one(one, erase_tokens=True) == "shared_grant"
    assert disconnect_one(other, erase_tokens=True) == "pending"


@pytest.mark.parametrize("recorded", [True, {"success": True}])
def test_what_proves_a_revocation(api: APIClient, meta: Meta, recorded: Any) -> None:
    graph = meta("facebook_page")
    graph.pages = ["71"]
    (row,) = connect(api, "facebook_page")
    disconnect_one(row, erase_tokens=True)
    graph.on("DELETE", f"/{USER}/permissions", Answer(json=recorded))
    graph.on("GET", "/me", REMOVED)
    job = RevocationJob.objects.get()
    assert attempt(job.pk, within=5.0, interface=Interface.WORKER) == "revoked"


@pytest.mark.parametrize(
    "answer", [Answer(json={"success": False}), Answer(json=False), Answer(400, json={}), DEAD]
)
def test_what_proves_none_is_tried_again(api: APIClient, meta: Meta, answer: Answer) -> None:
    graph = meta("facebook_page")
    graph.pages = ["71"]
    (row,) = connect(api, "facebook_page")
    disconnect_one(row, erase_tokens=True)
    graph.on("DELETE", f"/{USER}/permissions", answer)
    job = RevocationJob.objects.get()
    assert attempt(job.pk, within=5.0, interface=Interface.WORKER) == "pending"


def test_threads_has_a_help_page_and_no_revocation(api: APIClient, meta: Meta) -> None:
    meta("threads")
    (row,) = connect(api, "threads")
    answer = api.delete(f"/api/v1/plugin/social-media-publisher/social/disconnect/{row.pk}")
    assert answer["Link"].endswith('; rel="help"')
