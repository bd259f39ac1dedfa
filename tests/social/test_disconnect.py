"""The document's disconnect, word for word: by POST and by DELETE, for members and for keys."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError
from rest_framework.test import APIClient

from audit.models import AuditEvent
from connections_project.core.vault import Sealed
from connections_project.identity.models import ApiKey, Team, User
from connections_project.revocation.models import GrantHold, RevocationJob
from social import disconnect as verb
from social.models import SocialAccount
from tests.conftest import SignIn
from tests.social.conftest import KeyClient
from tests.support.gallery import SOCIAL, Gallery
from tests.support.provider_rows import events
from tests.support.social_rows import account_of

DISCONNECT = f"{SOCIAL}/disconnect"
Disconnect = Callable[[APIClient, Any], Any]


def by_post(client: APIClient, account_id: Any) -> Any:
    return client.post(DISCONNECT, {"accountId": str(account_id)}, format="json")


def by_delete(client: APIClient, account_id: Any) -> Any:
    return client.delete(f"{DISCONNECT}/{account_id}")


@pytest.fixture(params=[by_post, by_delete], ids=["POST", "DELETE"])
def disconnect(request: pytest.FixtureRequest) -> Disconnect:
    """One of the document's two ways."""
    way: Disconnect = request.param
    return way


@pytest.fixture(params=["Bearer", "key"])
def caller(
    request: pytest.FixtureRequest, sign_in: SignIn, owner: User, with_key: KeyClient
) -> APIClient:
    """One of the document's two kinds of credentials."""
    return sign_in(owner) if request.param == "Bearer" else with_key(owner.own_team)


@pytest.fixture
def account(team: Team, gallery: Gallery) -> SocialAccount:
    return account_of(team)


def test_the_success_is_the_documents(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount
) -> None:
    answer = disconnect(caller, account.pk)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "accountId": str(account.pk),
        "message": "Successfully disconnected @myaccount (gallery)",
    }


def test_an_id_is_taken_in_any_case(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount
) -> None:
    answer = disconnect(caller, str(account.pk).upper())
    assert answer.json()["accountId"] == str(account.pk)


def test_the_row_is_marked_and_its_tokens_stay(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    disconnect(caller, account.pk)
    row = SocialAccount.objects.get(pk=account.pk)
    assert (row.is_active, row.status, row.deleted_at) == (False, "disconnected", None)
    assert row.disconnected_at is not None
    assert row.auth_state == account.auth_state
    assert row.opened().as_payload() == {"access_token": "access-0", "refresh_token": "refresh-0"}
    assert row.epoch > account.epoch


def test_nothing_is_sent_and_the_holder_is_removed(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount, gallery: Gallery
) -> None:
    disconnect(caller, account.pk)
    assert gallery.server.requests == []
    assert not RevocationJob.objects.exists()
    assert not GrantHold.objects.exists()
    (skipped,) = events("token_revocation_skipped")
    assert skipped.details == {"platform": "gallery", "result": "not_requested"}


def test_the_event_is_the_documents(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount, team: Team
) -> None:
    disconnect(caller, account.pk)
    account.refresh_from_db()
    assert account.disconnected_at is not None
    (event,) = events("account_disconnected")
    assert event.details == {
        "platform": "gallery",
        "accountName": "@myaccount",
        "success": True,
        "disconnectedAt": f"{account.disconnected_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (event.subject_type, event.subject_id) == ("social.connection", account.pk)
    assert (event.subject_owner_id, event.interface) == (team.pk, "api")
    assert abs(datetime.now(UTC) - event.occurred_at).total_seconds() < 60


def test_the_event_names_the_member(
    disconnect: Disconnect, api: APIClient, owner: User, account: SocialAccount
) -> None:
    disconnect(api, account.pk)
    (event,) = events("account_disconnected")
    assert (event.actor_type, event.actor_id) == ("user", owner.pk)


def test_the_event_names_the_key_as_a_service(
    disconnect: Disconnect, with_key: KeyClient, team: Team, account: SocialAccount
) -> None:
    disconnect(with_key(team), account.pk)
    (event,) = events("account_disconnected")
    assert (event.actor_type, event.actor_id) == ("service", ApiKey.objects.get().pk)


def test_a_second_disconnect_is_the_documented_400(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount
) -> None:
    disconnect(caller, account.pk)
    first = SocialAccount.objects.get().disconnected_at
    answer = disconnect(caller, account.pk)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Account already disconnected",
        "message": "This account is already inactive.",
    }
    assert SocialAccount.objects.get().disconnected_at == first
    assert len(events("account_disconnected")) == 1


@pytest.mark.parametrize(
    "malformed",
    [
        "1",
        "not-a-uuid",
        "123e4567e89b12d3a456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
        "123e4567-e89b-12d3-a456-42661417400g",
        " 123e4567-e89b-12d3-a456-426614174000",
        "x" * 3000,
    ],
)
def test_a_malformed_id_is_the_documents_400(
    disconnect: Disconnect, caller: APIClient, gallery: Gallery, malformed: str
) -> None:
    answer = disconnect(caller, malformed)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid account ID format"
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"accountID": str(uuid4())}, "required"),
        ({"accountId": None}, "null"),
        ({"accountId": 17}, "invalid"),
        ({"accountId": True}, "invalid"),
        ({"accountId": []}, "invalid"),
        ({"accountId": {"id": "1"}}, "invalid"),
        ({"accountId": ""}, "blank"),
        ({"accountId": "a\0b"}, "invalid_characters"),
    ],
)
def test_a_missing_or_mistyped_id_is_invalid(
    caller: APIClient, gallery: Gallery, body: dict[str, Any], code: str
) -> None:
    answer = caller.post(DISCONNECT, body, format="json")
    assert answer.status_code == 400
    recorded = answer.json()
    assert recorded["error"] == "Validation failed"
    (detail,) = recorded["details"]
    assert (detail["field"], detail["code"]) == ("accountId", code)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "\xff", "NaN"])
def test_a_body_that_is_no_object_fails_validation(
    caller: APIClient, gallery: Gallery, body: str
) -> None:
    answer = caller.post(DISCONNECT, body.encode("latin-1"), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"] == "Validation failed"


def test_unknown_fields_are_ignored(caller: APIClient, account: SocialAccount) -> None:
    body = {"accountId": str(account.pk), "force": "yes"}
    assert caller.post(DISCONNECT, body, format="json").status_code == 200


def test_without_credentials_it_is_the_documents_401(
    disconnect: Disconnect, anonymous: APIClient, account: SocialAccount
) -> None:
    answer = disconnect(anonymous, account.pk)
    assert answer.status_code == 401
    assert answer.json()["error"] == "Authentication required"
    assert SocialAccount.objects.get().is_active


def test_an_unknown_account_is_the_documents_404(
    disconnect: Disconnect, caller: APIClient, gallery: Gallery
) -> None:
    answer = disconnect(caller, uuid4())
    assert answer.status_code == 404
    assert answer.json()["error"] == "Account not found"


def test_another_teams_account_is_an_unknown_one(
    disconnect: Disconnect, caller: APIClient, outsider: User, gallery: Gallery
) -> None:
    theirs = account_of(outsider.own_team)
    answers = [disconnect(caller, one) for one in (theirs.pk, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert SocialAccount.objects.get().is_active


def test_a_teammate_disconnects_what_is_the_teams(
    disconnect: Disconnect, teammate: User, sign_in: SignIn, account: SocialAccount
) -> None:
    client = sign_in(teammate)
    assert disconnect(client, account.pk).status_code == 404
    client.defaults["HTTP_X_TEAM_ID"] = str(account.team_id)
    assert disconnect(client, account.pk).status_code == 200


def test_a_defect_is_the_documented_500_unchanged(
    disconnect: Disconnect,
    caller: APIClient,
    account: SocialAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise IntegrityError("a secret of the database")

    monkeypatch.setattr(verb, "record_many", fail)
    answer = disconnect(caller, account.pk)
    assert answer.status_code == 500
    assert answer.json()["error"] == "Failed to disconnect"
    assert "secret" not in answer.content.decode()
    assert SocialAccount.objects.get().is_active
    assert GrantHold.objects.count() == 1
    assert not AuditEvent.objects.filter(action="account_disconnected").exists()


def test_a_key_needs_the_scope(
    disconnect: Disconnect, with_key: KeyClient, team: Team, account: SocialAccount
) -> None:
    client = with_key(team, "social:read", "social:publish")
    answer = disconnect(client, account.pk)
    assert answer.status_code == 403
    assert answer.json()["error"] == "Insufficient scope"
    assert disconnect(client, "malformed").status_code == 403


def test_a_dead_grants_account_can_be_disconnected(
    disconnect: Disconnect, caller: APIClient, team: Team, gallery: Gallery
) -> None:
    account = account_of(team, status="expired")
    assert disconnect(caller, account.pk).status_code == 200
    assert not SocialAccount.objects.get().is_active


def test_unreadable_or_removed_does_not_hinder_it(
    disconnect: Disconnect, caller: APIClient, account: SocialAccount, use_catalogue: Any
) -> None:
    SocialAccount.objects.update(auth_state=Sealed("damaged"))
    use_catalogue("")
    assert disconnect(caller, account.pk).status_code == 200


def test_without_revocation_there_is_a_help_link(
    disconnect: Disconnect, caller: APIClient, team: Team, gallery: Gallery, use_catalogue: Any
) -> None:
    text = gallery.catalogue().partition("[social.gallery.revocation]")[0]
    use_catalogue(text, "gallery")
    account = account_of(team)
    answer = disconnect(caller, account.pk)
    assert answer["Link"] == '<https://gallery.example.com/apps>; rel="help"'


def test_it_takes_few_statements(
    disconnect: Disconnect,
    caller: APIClient,
    account: SocialAccount,
    django_assert_max_num_queries: Any,
) -> None:
    # 2 for the credentials; lock, remove the holder, save, two events; 4 of transaction control.
    with django_assert_max_num_queries(12):
        assert disconnect(caller, account.pk).status_code == 200
