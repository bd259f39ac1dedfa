"""`POST /connect` and its callback: who may, what comes of one grant, in which words it fails."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from rest_framework.test import APIClient

from connections_project.identity.models import ApiKey, Team, User
from connections_project.revocation.models import GrantHold
from social.models import SocialAccount
from tests.conftest import SignIn
from tests.social.conftest import KeyClient
from tests.support.absent_redis import NO_REDIS
from tests.support.bank import REDIRECT_URI, query_of
from tests.support.gallery import (
    SOCIAL,
    Gallery,
    call_back,
    connect,
    disconnect,
    pending_tokens,
    start,
)
from tests.support.platform_server import Answer
from tests.support.provider_rows import events
from tests.support.social_rows import account_of


def begin(api: APIClient, **body: Any) -> Any:
    return api.post(f"{SOCIAL}/connect", {"platform": "gallery", **body}, format="json")


def recorded(answer: Any) -> tuple[int, str]:
    """Return an answer's status and its `error`."""
    return answer.status_code, answer.json()["error"]


@pytest.fixture(params=["Bearer", "key"])
def caller(
    request: pytest.FixtureRequest, sign_in: SignIn, owner: User, with_key: KeyClient
) -> APIClient:
    return sign_in(owner) if request.param == "Bearer" else with_key(owner.own_team)


def test_starting_answers_and_writes_no_row(caller: APIClient, gallery: Gallery) -> None:
    answer = begin(caller)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"authorizationUrl", "state", "expiresIn"}
    assert body["expiresIn"] == 600
    query = query_of(body["authorizationUrl"])
    assert (query["state"], query["redirect_uri"]) == (body["state"], REDIRECT_URI)
    assert not SocialAccount.objects.exists()
    assert answer.cookies["__Host-oauth_flow"]["httponly"]


def test_one_grant_connects_all_its_accounts(
    caller: APIClient, gallery: Gallery, team: Team
) -> None:
    gallery.accounts = ["7", "8", "9"]
    answer = call_back(caller, start(caller))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["success"], body["connectedCount"]) == (True, 3)
    assert [one["accountName"] for one in body["accounts"]] == [
        "@account7",
        "@account8",
        "@account9",
    ]
    rows = SocialAccount.objects.order_by("platform_account_id")
    for row, listed in zip(rows, body["accounts"], strict=True):
        assert set(listed) == {
            "id", "platform", "accountName", "isActive", "connectedAt", "disconnectedAt",
        }  # fmt: skip
        assert (listed["id"], listed["platform"]) == (str(row.pk), "gallery")
        assert (listed["isActive"], listed["disconnectedAt"]) == (True, None)
        assert (row.team_id, row.granting_user_id) == (team.pk, "person-1")
        assert row.opened().access_token == f"access-1-of-{row.platform_account_id}"
    assert GrantHold.objects.filter(platform_user_id="person-1").count() == 3


def test_more_accounts_than_a_grant_may_bring_are_left_out(
    api: APIClient, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("social.connect.MOST_ACCOUNTS", 2)
    gallery.accounts = ["7", "8", "9"]
    answer = call_back(api, start(api))
    assert (answer.status_code, answer.json()["connectedCount"]) == (201, 2)
    known = SocialAccount.objects.values_list("platform_account_id", flat=True)
    assert set(known) == {"7", "8"}


def test_without_a_list_the_identity_is_connected(
    api: APIClient, gallery: Gallery, use_catalogue: Any
) -> None:
    use_catalogue(gallery.catalogue().replace("granted_accounts_endpoint", "# "), "gallery")
    (account,) = connect(api)
    assert (account.platform_account_id, account.platform_account_name) == ("person-1", "Ada")
    assert account.opened().as_payload() == {
        "access_token": "access-1",
        "refresh_token": "refresh-1",
    }
    assert account.token_set is None


def test_accounts_may_share_the_grants_tokens(
    api: APIClient, gallery: Gallery, use_catalogue: Any
) -> None:
    use_catalogue(gallery.catalogue(token=""), "gallery")
    gallery.accounts = ["7", "8"]
    first, second = connect(api)
    assert first.opened() == second.opened()
    assert first.opened().refresh_token == "refresh-1"
    assert first.token_set == second.token_set is not None


def test_each_event_names_who_connected(caller: APIClient, gallery: Gallery, team: Team) -> None:
    (account,) = connect(caller)
    (event,) = events("account_connected")
    key = ApiKey.objects.first()
    actor = ("service", key.pk) if key else ("user", team.owner_id)
    assert (event.actor_type, event.actor_id) == actor
    assert (event.subject_id, event.subject_owner_id) == (account.pk, team.pk)
    assert event.details == {
        "platform": "gallery",
        "accountName": "@account7",
        "reconnected": False,
    }


def test_an_active_account_takes_fresh_tokens(api: APIClient, gallery: Gallery) -> None:
    (first,) = connect(api)
    (again,) = connect(api)
    assert first.pk == again.pk
    assert again.opened().access_token == "access-2-of-7"
    assert again.epoch > first.epoch
    assert SocialAccount.objects.count() == GrantHold.objects.count() == 1


def test_an_account_whose_grant_was_dead_lives_again(
    api: APIClient, gallery: Gallery, team: Team
) -> None:
    account = account_of(team, status="expired")
    gallery.accounts = ["7", "8"]
    connect(api)
    account.refresh_from_db()
    assert account.status == "active"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"platform": "unknown"}, 400, "Unknown platform"),
        ({"platform": "schwab"}, 400, "Unknown platform"),
        ({"platform": "threads"}, 503, "Platform unavailable"),
        ({"platform": ""}, 400, "Validation failed"),
        ({"platform": 5}, 400, "Validation failed"),
        ({"platform": None}, 400, "Validation failed"),
        ({"redirect_uri": "https://elsewhere.example"}, 400, "Validation failed"),
        ({"redirect_uri": 5}, 400, "Validation failed"),
        ({"accountIds": "7"}, 400, "Validation failed"),
        ({"accountIds": [5]}, 400, "Validation failed"),
        ({"accountIds": [str(uuid4())] * 101}, 400, "Validation failed"),
        ({"accountIds": ["7"]}, 400, "Invalid account ID format"),
        ({"accountIds": [str(uuid4())]}, 404, "Account not found"),
    ],
)
def test_what_cannot_be_started_is_said(
    api: APIClient, gallery: Gallery, body: dict[str, Any], status: int, error: str
) -> None:
    answer = begin(api, **body)
    assert recorded(answer) == (status, error)
    if error == "Validation failed":
        (name,) = body
        assert answer.json()["details"][0]["field"].partition(".")[0] == name


@pytest.mark.parametrize("whose", ["another team's", "another platform's"])
def test_accounts_that_are_not_there_cannot_be_named(
    api: APIClient, gallery: Gallery, team: Team, outsider: User, use_catalogue: Any, whose: str
) -> None:
    use_catalogue(gallery.catalogue() + gallery.catalogue("museum"), "gallery", "museum")
    if whose == "another team's":
        account = account_of(outsider.own_team, status="disconnected")
    else:
        account = account_of(team, status="disconnected", platform="museum")
    assert recorded(begin(api, accountIds=[str(account.pk)])) == (404, "Account not found")


def test_suspended_or_without_cache_is_unavailable(
    api: APIClient, gallery: Gallery, settings: LazySettings
) -> None:
    settings.CACHES = {**settings.CACHES, "default": NO_REDIS}
    assert recorded(begin(api)) == (503, "Service unavailable")
    call_command("suspend_platform", "gallery", reason="breach")
    assert recorded(begin(api)) == (503, "Platform unavailable")


def test_starting_needs_the_scope(gallery: Gallery, with_key: KeyClient, team: Team) -> None:
    assert recorded(begin(with_key(team, "social:read"))) == (403, "Insufficient scope")


# The callback.


def test_nobody_has_to_be_signed_in(
    caller: APIClient, anonymous: APIClient, gallery: Gallery
) -> None:
    assert call_back(anonymous, start(caller)).status_code == 201


def test_members_finish_a_keys_flow_not_vice_versa(
    api: APIClient, with_key: KeyClient, gallery: Gallery, team: Team
) -> None:
    key = with_key(team)
    assert call_back(api, start(key)).status_code == 201
    assert recorded(call_back(key, start(api))) == (400, "Invalid state")


def test_somebody_else_burns_the_state_and_is_audited(
    caller: APIClient,
    outsider: User,
    sign_in: SignIn,
    with_key: KeyClient,
    gallery: Gallery,
    team: Team,
) -> None:
    for outside in (sign_in(outsider), with_key(outsider.own_team)):
        state = start(caller)
        assert recorded(call_back(outside, state)) == (400, "Invalid state")
        assert recorded(call_back(caller, state)) == (400, "Invalid state")
    assert gallery.server.requests == []
    failures = events("account_connection_failed")
    assert [event.subject_owner_id for event in failures] == [team.pk] * 2
    assert {event.details["error"] for event in failures} == {"invalid_state"}


def test_another_key_of_the_team_is_somebody_else(
    with_key: KeyClient, gallery: Gallery, team: Team
) -> None:
    assert recorded(call_back(with_key(team), start(with_key(team)))) == (400, "Invalid state")


def test_bad_credentials_keep_the_state(
    caller: APIClient, gallery: Gallery, with_key: KeyClient, team: Team
) -> None:
    state = start(caller)
    forged = APIClient()
    forged.credentials(HTTP_X_API_KEY="nonsense", HTTP_X_TEAM_ID=str(team.pk))
    assert recorded(call_back(forged, state)) == (401, "Authentication required")
    assert recorded(call_back(with_key(team, "social:read"), state)) == (403, "Insufficient scope")
    assert call_back(caller, state).status_code == 201


def test_the_flow_remembers_its_team(
    api: APIClient, owner: User, outsider: User, gallery: Gallery
) -> None:
    theirs = outsider.own_team
    theirs.memberships.create(user=owner)
    headers = {"x-team-id": str(theirs.pk)}
    body = {"platform": "gallery"}
    started = api.post(f"{SOCIAL}/connect", body, format="json", headers=headers).json()
    assert call_back(api, started["state"]).status_code == 201
    assert SocialAccount.objects.get().team == theirs


def test_a_revoked_key_connects_nothing(
    anonymous: APIClient, with_key: KeyClient, gallery: Gallery, team: Team
) -> None:
    state = start(with_key(team))
    call_command("revoke_api_key", ApiKey.objects.get().prefix)
    assert recorded(call_back(anonymous, state)) == (400, "Invalid state")
    assert gallery.server.requests == []


@pytest.mark.parametrize(
    ("query", "error", "field"),
    [
        ({"code": ""}, "Validation failed", "code"),
        ({"state": ""}, "Validation failed", "state"),
        ({"code": "a\0b"}, "Validation failed", "code"),
        ({"state": "unknown"}, "Invalid state", ""),
        ({"error": "access_denied"}, "Authorization declined", ""),
        ({"iss": "https://elsewhere.example"}, "Validation failed", "iss"),
    ],
)
def test_a_callback_that_is_refused_says_why(
    api: APIClient,
    gallery: Gallery,
    use_catalogue: Any,
    query: dict[str, str],
    error: str,
    field: str,
) -> None:
    use_catalogue(gallery.catalogue(more='issuer = "https://gallery.example"'), "gallery")
    answer = call_back(api, **{"state": start(api), **query})
    assert recorded(answer) == (400, error)
    assert [one["field"] for one in answer.json().get("details", [])] == ([field] if field else [])
    assert gallery.server.requests == []


def test_a_state_is_good_once_for_its_own_app(api: APIClient, gallery: Gallery) -> None:
    state = start(api)
    assert call_back(api, state).status_code == 201
    assert recorded(call_back(api, state)) == (400, "Invalid state")
    other = start(api)
    answer = api.post("/api/v1/providers/callback", query_params={"state": other, "code": "c"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", "/token", Answer(400, json={"error": "invalid_grant"})),
        ("POST", "/token", Answer(500)),
        ("POST", "/token", Answer(reset=True)),
        ("GET", "/me", Answer(500)),
        ("GET", "/me/accounts", Answer(500)),
        ("GET", "/me/accounts", Answer(json={"data": {}})),
        ("GET", "/me/accounts", Answer(json={"data": [{"id": "x" * 256, "access_token": "a"}]})),
    ],
)
def test_a_failing_platform_is_a_502_without_a_row(
    api: APIClient, gallery: Gallery, method: str, path: str, answer: Answer
) -> None:
    gallery.server.on(method, path, answer)
    assert recorded(call_back(api, start(api))) == (502, "Platform error")
    assert not SocialAccount.objects.exists()
    (event,) = events("account_connection_failed")
    assert event.outcome == "failure"
    # Tokens of which nobody knows whose they are don't stay about.
    assert pending_tokens() == ([] if path == "/token" else ["access-1"])


def test_an_empty_grant_is_declined_and_revoked(api: APIClient, gallery: Gallery) -> None:
    gallery.accounts = []
    assert recorded(call_back(api, start(api))) == (400, "Authorization declined")
    assert pending_tokens() == ["access-1"]


def test_an_unnamed_account_is_called_by_its_id(api: APIClient, gallery: Gallery) -> None:
    entry = {"id": 7, "access_token": "own"}
    gallery.server.on("GET", "/me/accounts", Answer(json={"data": [entry]}))
    (account,) = connect(api)
    assert (account.platform_account_id, account.platform_account_name) == ("7", "7")
    message = disconnect(api, account).json()["message"]
    assert message == "Successfully disconnected 7 (gallery)"


def test_entries_that_are_no_accounts_are_passed_over(api: APIClient, gallery: Gallery) -> None:
    entries: list[Any] = [
        {"id": "7", "username": "@seven", "access_token": "own"},
        {"id": "7", "username": "@again", "access_token": "other"},
        {"username": "@nobody", "access_token": "own"},
        {"id": "9", "username": "@without"},
        None,
        "text",
    ]
    gallery.server.on("GET", "/me/accounts", Answer(json={"data": entries}))
    (account,) = connect(api)
    assert (account.platform_account_id, account.platform_account_name) == ("7", "@seven")
    assert account.opened().access_token == "own"
