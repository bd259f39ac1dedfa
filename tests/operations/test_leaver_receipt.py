"""The receipt of somebody who left: signed, whole, with all that is still to be revoked."""

import io
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.record import Origin
from connections_project.core.signing import private_key
from connections_project.identity.keys import create_key
from connections_project.identity.models import Team, User
from connections_project.operations import offboarding
from connections_project.operations.leaver_receipt import NotALeaverError, issue_leaver_receipt
from connections_project.revocation.models import RevocationJob
from tests.support.archiving import archive_everything
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db

WHY = "left the company"


def claims_of(receipt: str) -> dict[str, Any]:
    """Verify a receipt as whoever has the public key does."""
    public = private_key(django_settings.RECEIPT_SIGNING_KEY).public_key()
    assert jwt.get_unverified_header(receipt)["typ"] == "leaver-receipt+jwt"
    return jwt.decode(receipt, public, algorithms=["EdDSA"])


@pytest.fixture
def left(owner: User, platforms: Bank, origin: Origin) -> User:
    for number in range(3):
        connection_of(owner, account_id=f"p{number}")
    channel_of(owner, account_id="c")
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    return owner


def test_it_says_who_left_and_what_ended(left: User) -> None:
    claims = claims_of(issue_leaver_receipt(left))
    assert (claims["iss"], claims["principal_id"]) == (django_settings.PUBLIC_URL, str(left.pk))
    assert (claims["actor"], claims["interface"]) == ("operator", "command")
    assert claims["ended"] == [
        {"app": "providers", "platform": "bank", "connections": 3},
        {"app": "channels", "platform": "chirp", "connections": 1},
    ]
    assert claims["remaining"] == []
    assert claims["forgotten"] is False


def test_what_is_owed_is_named(left: User) -> None:
    jobs = RevocationJob.objects.count()
    assert jobs == 4
    claims = claims_of(issue_leaver_receipt(left))
    assert sum(one["tokens"] for one in claims["revocations"]) == jobs
    assert {one["platform"] for one in claims["revocations"]} == {"bank", "chirp"}


def test_what_is_not_over_yet_is_named(left: User) -> None:
    connection_of(left, account_id="later")
    claims = claims_of(issue_leaver_receipt(left))
    assert claims["remaining"] == [{"app": "providers", "platform": "bank", "connections": 1}]


@pytest.mark.parametrize("status", ["active", "disconnected"])
def test_kept_tokens_are_named(owner: User, platforms: Bank, origin: Origin, status: str) -> None:
    account_of(owner.own_team, status=status)
    connection_of(owner)
    offboarding.deactivate(owner, reason=WHY, origin=origin)
    claims = claims_of(issue_leaver_receipt(owner))
    assert claims["remaining"] == []
    assert claims["kept_tokens"] == [{"app": "social", "platform": "gallery", "connections": 1}]
    offboarding.forget(owner, reason=WHY, origin=origin)
    owner.refresh_from_db()
    assert claims_of(issue_leaver_receipt(owner))["kept_tokens"] == []


def test_keys_that_others_decide_on_are_named(left: User, outsider: User, origin: Origin) -> None:
    shared = Team.objects.create(name="Press")
    for user in (left, outsider):
        shared.memberships.create(user=user)
    key = create_key(team=shared, scopes=["social:read"], origin=origin, created_by=left).key
    assert claims_of(issue_leaver_receipt(left))["keys_left"] == [key.prefix]


def test_more_connections_cost_no_more_queries(
    left: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        connection_of(left, account_id=f"more {number}")
    with django_assert_max_num_queries(12):
        issue_leaver_receipt(left)


def test_who_is_active_has_none(owner: User) -> None:
    with pytest.raises(NotALeaverError):
        issue_leaver_receipt(owner)


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("leaver_receipt", *words, stdout=out)
    return out.getvalue()


def test_the_command_prints_it(left: User, outsider: User) -> None:
    assert left.email
    assert claims_of(run(left.email).strip())["principal_id"] == str(left.pk)
    assert json.loads(run(str(left.pk), "--json"))["principal_id"] == str(left.pk)
    with pytest.raises(CommandError, match="has not left"):
        run(str(outsider.pk))
    with pytest.raises(CommandError, match="There is no user"):
        run("nobody@example.com")


def test_the_admin_hands_it_out(left: User, operator: User, client: Client) -> None:
    page = f"/admin/identity/user/{left.pk}/leaver-receipt/"
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    client.force_login(User.objects.get(pk=operator.pk))
    answer: Any = client.get(page)
    assert answer["Content-Type"] == "application/jose"
    assert claims_of(answer.content.decode())["principal_id"] == str(left.pk)
    assert client.get(page.replace(str(left.pk), str(operator.pk))).status_code == 404
    assert (
        "leaver-receipt" in client.get(f"/admin/identity/user/{left.pk}/change/").content.decode()
    )


def test_the_admin_links_none_that_is_archived(
    left: User, admin_client: Client, tmp_path: Path
) -> None:
    archive_everything(tmp_path)
    page = f"/admin/identity/user/{left.pk}"
    assert b"leaver-receipt" not in admin_client.get(f"{page}/change/").content
    assert admin_client.get(f"{page}/leaver-receipt/").status_code == 404
