"""`GET /api/v1/receipts/{connection_id}`: what was ended, when, by whom, and how far it has got."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.connections.models import OAuthConnection
from connections_project.core.ids import uuid7
from connections_project.core.parsing import render_datetime
from connections_project.identity.models import User
from connections_project.oauth.client import Identity
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions
from connections_project.platforms.registry import upstream
from connections_project.revocation.attempts import record_ends
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.operate import give_up
from tests.conftest import SignIn, UseCatalogue
from tests.operations.conftest import MAKERS, account_of_user, origin, platforms, use_platforms
from tests.receipts.conftest import asked, claims_of, receipt_of, state, verified
from tests.support.bank import Bank, connect
from tests.support.disconnects import disconnect_one
from tests.support.platform_server import Answer
from tests.support.provider_rows import TOKENS, connection_of
from tests.support.social_rows import account_of

__all__ = ["origin", "platforms", "use_platforms"]

pytestmark = pytest.mark.django_db

CLAIMS = {
    "iss", "iat", "connection_id", "app", "platform", "disconnected_at", "actor", "interface",
    "erased", "revocation",
}  # fmt: skip


def end(api: APIClient, connection: OAuthConnection) -> None:
    answer = api.delete(f"/api/v1/auth/{connection.pk}/disconnect")
    assert answer.status_code == 200, answer.content


@pytest.mark.django_db(transaction=True)
def test_a_receipt_has_the_whole_history(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connect(api)
    end(api, connection)
    connection.refresh_from_db()
    claims = claims_of(api, connection)
    assert claims.keys() == CLAIMS
    assert claims["iss"] == "https://localhost:8000"
    assert abs(claims["iat"] - timezone.now().timestamp()) < 60
    assert claims["connection_id"] == str(connection.pk)
    assert (claims["app"], claims["platform"]) == ("providers", "bank")
    assert connection.disconnected_at is not None
    assert claims["disconnected_at"] == render_datetime(connection.disconnected_at)
    assert (claims["actor"], claims["interface"]) == ("user", "api")
    assert claims["erased"] == ["credentials"]
    revocation = claims["revocation"]
    assert (revocation["state"], revocation["attempts"]) == ("revoked", 1)
    assert revocation["finished_at"].endswith("Z")


@pytest.mark.django_db(transaction=True)
def test_a_receipt_says_whether_tokens_are_dead(
    api: APIClient, owner: User, bank: Bank, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(bank.catalogue(revocation='verify = "identity"'), "bank")
    connection = connection_of(owner)
    end(api, connection)
    revocation = claims_of(api, connection)["revocation"]
    assert (revocation["state"], revocation["verification"]) == ("pending", "still_alive")
    bank.server.on("GET", "/me", Answer(401))
    RevocationJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    call_command("run_revocations")
    revocation = claims_of(api, connection)["revocation"]
    assert (revocation["state"], revocation["verification"]) == ("revoked", "verified_dead")


def test_the_header_names_the_signing_key(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connection_of(owner)
    end(api, connection)
    receipt = receipt_of(api, connection)
    header = jwt.get_unverified_header(receipt)
    assert header["alg"] == "EdDSA"
    verified(receipt)
    head, body, signature = receipt.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(".".join([head, f"{body[:-2]}AA", signature]))


@pytest.mark.parametrize("app", MAKERS)
def test_each_app_issues_one_whoever_disconnected(
    app: str, owner: User, api: APIClient, platforms: Bank, origin: Origin
) -> None:
    slug, make = MAKERS[app]
    connection = make(owner)
    assert asked(api, connection).status_code == 404
    force_disconnect(app, [connection.pk], DisconnectOptions("breach"), origin=origin)
    claims = claims_of(api, connection)
    assert (claims["app"], claims["platform"]) == (app, slug)
    assert (claims["actor"], claims["interface"]) == ("operator", "command")
    kept = app == "social"
    assert claims["erased"] == ([] if kept else ["credentials"])
    assert claims["revocation"]["state"] == ("not_requested" if kept else "pending")


@pytest.mark.django_db(transaction=True)
def test_it_is_pending_while_the_platform_is_down(api: APIClient, bank: Bank) -> None:
    connection = connect(api)
    bank.server.on("POST", "/revoke", Answer(503))
    end(api, connection)
    revocation = claims_of(api, connection)["revocation"]
    assert (revocation["state"], revocation["attempts"]) == ("pending", 1)
    assert revocation["last_error"]
    assert "finished_at" not in revocation
    bank.open()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        call_command("run_revocations", "--json")
    assert state(api, connection) == "revoked"


@pytest.mark.django_db(transaction=True)
def test_what_was_given_up_says_so(api: APIClient, bank: Bank) -> None:
    connection = connect(api)
    bank.server.on("POST", "/revoke", Answer(503))
    end(api, connection)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        call_command("run_revocations", "--json")
    assert state(api, connection) == "abandoned"


def test_what_an_operator_gave_up_says_so(
    api: APIClient, owner: User, bank: Bank, origin: Origin
) -> None:
    connection = connection_of(owner)
    end(api, connection)
    give_up([RevocationJob.objects.get().pk], reason="no way", origin=origin)
    assert state(api, connection) == "abandoned"


def test_a_late_token_that_is_gone_hides_no_other(
    api: APIClient, owner: User, bank: Bank, origin: Origin
) -> None:
    connection = connection_of(owner)
    end(api, connection)
    job = RevocationJob.objects.get()
    give_up([job.pk], reason="no way", origin=origin)
    record_ends([job], JobState.REVOKED, interface=Interface.WORKER)
    assert state(api, connection) == "abandoned"


def test_no_revocation_is_stated_as_such(api: APIClient, owner: User) -> None:
    connection = connection_of(owner, slug="schwab")
    end(api, connection)
    assert state(api, connection) == "not_supported"


def test_a_shared_grant_is_stated_as_such(
    api: APIClient, owner: User, outsider: User, use_platforms: Any
) -> None:
    use_platforms("grant")
    connection = connection_of(owner)
    connection_of(outsider)
    end(api, connection)
    claims = claims_of(api, connection)
    assert claims["revocation"] == {"state": "shared_grant", "attempts": 0}
    assert claims["erased"] == ["credentials"]


def test_a_skipped_revocation_is_not_requested(
    api: APIClient, owner: User, bank: Bank, origin: Origin
) -> None:
    connection = connection_of(owner)
    disconnect_one(connection, origin=origin, revoke=False)
    assert state(api, connection) == "not_requested"


def test_what_never_had_credentials_erased_none(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connection_of(owner, status="failed")
    end(api, connection)
    claims = claims_of(api, connection)
    assert (claims["erased"], claims["revocation"]["state"]) == ([], "not_requested")


def test_kept_tokens_are_erased_when_they_are(
    api: APIClient, owner: User, platforms: Bank, origin: Origin
) -> None:
    account = account_of_user(owner)
    force_disconnect("social", [account.pk], DisconnectOptions("first"), origin=origin)
    assert claims_of(api, account)["erased"] == []
    options = DisconnectOptions("second", erase_tokens=True, revoke=False)
    force_disconnect("social", [account.pk], options, origin=origin)
    claims = claims_of(api, account)
    assert (claims["erased"], claims["revocation"]["state"]) == (["credentials"], "not_requested")


def test_it_is_there_after_deletion_too(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connection_of(owner)
    for _ in range(2):
        assert api.delete(f"/api/v1/providers/{connection.pk}").status_code == 204
    assert api.get(f"/api/v1/providers/{connection.pk}").status_code == 404
    assert claims_of(api, connection)["actor"] == "user"


@pytest.mark.parametrize("status", ["active", "expired", "revoked", "failed", "pending"])
def test_while_it_is_not_over_there_is_none(
    status: str, api: APIClient, owner: User, bank: Bank
) -> None:
    answer = asked(api, connection_of(owner, status=status))
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/not_found")


@pytest.mark.parametrize("status", ["active", "disconnected"])
def test_somebody_elses_is_forbidden(
    status: str, outsider: User, owner: User, sign_in: SignIn, bank: Bank
) -> None:
    answer = asked(sign_in(outsider), connection_of(owner, status=status))
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/forbidden")


def test_a_teams_belongs_to_its_members_alone(
    owner: User, teammate: User, outsider: User, sign_in: SignIn, platforms: Bank, origin: Origin
) -> None:
    account = account_of(owner.own_team, account_id="7")
    force_disconnect("social", [account.pk], DisconnectOptions("breach"), origin=origin)
    assert claims_of(sign_in(teammate), account)["app"] == "social"
    assert asked(sign_in(outsider), account).status_code == 403


NOBODYS = "01a21243-8e0d-77a8-ba87-8a3a0ae3498c"


@pytest.mark.parametrize("name", [NOBODYS, "nonsense", "1", "%00", f"urn:uuid:{NOBODYS}"])
def test_what_is_unknown_or_no_id_is_not_found(name: str, api: APIClient) -> None:
    answer = api.get(f"/api/v1/receipts/{name}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_ids_are_taken_in_any_case(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connection_of(owner)
    end(api, connection)
    assert api.get(f"/api/v1/receipts/{str(connection.pk).upper()}").status_code == 200


def test_nobody_in_particular_gets_none(anonymous: APIClient, owner: User, bank: Bank) -> None:
    answer = asked(anonymous, connection_of(owner, status="disconnected"))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_it_draws_on_the_bucket_of_reading(api: APIClient, owner: User, bank: Bank) -> None:
    connection = connection_of(owner)
    end(api, connection)
    first, second = asked(api, connection), asked(api, connection)
    assert first["X-RateLimit-Limit"] == "100"
    assert int(second["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(method: str, api: APIClient, owner: User) -> None:
    assert getattr(api, method)(f"/api/v1/receipts/{uuid7()}").status_code == 405


def test_it_costs_few_queries(
    api: APIClient, owner: User, bank: Bank, django_assert_max_num_queries: Any
) -> None:
    connection = connection_of(owner)
    end(api, connection)
    with django_assert_max_num_queries(4):
        asked(api, connection)


def test_an_end_by_the_platform_is_revoked_there(
    api: APIClient, owner: User, platforms: Bank
) -> None:
    account = account_of_user(owner)
    by_platform = Origin(ActorType.PLATFORM, None, Interface.WEBHOOK)
    with transaction.atomic():
        mark_deauthorized([account], origin=by_platform, sender="meta", forget_person=True)
    claims = claims_of(api, account)
    assert (claims["actor"], claims["interface"]) == ("platform", "webhook")
    assert claims["erased"] == ["credentials", "profile"]
    assert claims["revocation"]["state"] == "revoked"


def test_a_reconnected_account_has_none_until_ended(
    api: APIClient, owner: User, platforms: Bank, origin: Origin
) -> None:
    account = account_of_user(owner)
    force_disconnect(
        "social", [account.pk], DisconnectOptions("first", erase_tokens=True), origin=origin
    )
    assert claims_of(api, account)["erased"] == ["credentials"]
    account.refresh_from_db()
    upstream_of_account = upstream("gallery")
    assert upstream_of_account is not None
    identity = Identity("customer-7", "@myaccount")
    account.take_grant(TOKENS, identity, upstream=upstream_of_account, now=timezone.now())
    account.activate()
    account.save()
    assert asked(api, account).status_code == 404
    disconnect_one(account, origin=Origin(ActorType.USER, owner.pk, Interface.API))
    claims = claims_of(api, account)
    assert (claims["actor"], claims["erased"]) == ("user", [])
