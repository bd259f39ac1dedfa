"""Who leaves by SCIM: refused at once, disconnected by a worker, forgotten on DELETE."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.core.parsing import parse_datetime
from connections_project.identity.models import ForgottenSubject, User
from connections_project.operations.models import OffboardingJob
from connections_project.operations.offboarding_worker import process_offboardings
from connections_project.scim.models import ScimProfile
from providers.models import Connection
from tests.operations.conftest import platforms, use_platforms
from tests.scim.conftest import Directory, me, principal
from tests.support.archiving import archive_everything
from tests.support.bank import Bank
from tests.support.issuer import TestIssuer
from tests.support.provider_rows import connection_of

__all__ = ["platforms", "use_platforms"]

OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


@pytest.fixture
def kim(directory: Directory, platforms: Bank) -> Any:
    """Somebody of the directory who has three connections."""
    made = directory.create(userName="kim@example.com", externalId="kim", displayName="Kim").json()
    for number in range(3):
        connection_of(principal(made), account_id=f"p{number}")
    return made


def live() -> int:
    return Connection.objects.filter(disconnected_at=None).count()


@pytest.mark.django_db(transaction=True)
def test_a_leaver_is_out_at_once(directory: Directory, issuer: TestIssuer, kim: Any) -> None:
    token = issuer.token(sub="kim")
    assert me(token).status_code == 200
    answer = directory.patch(kim["id"], OFF)
    assert me(token).status_code == 401
    assert live() == 3
    call_command("run_background", "--once")
    assert live() == 0
    ended = AuditEvent.objects.filter(action="connection_force_disconnected")
    assert {(one.interface, one.reason) for one in ended} == {
        ("scim", "deactivated by the directory")
    }
    assert parse_datetime(answer.json()["meta"]["lastModified"]) <= timezone.now()


def test_who_is_let_in_again_has_nothing_left(
    directory: Directory, issuer: TestIssuer, kim: Any
) -> None:
    old = issuer.token(sub="kim")
    directory.patch(kim["id"], OFF)
    directory.patch(kim["id"], OFF)
    assert OffboardingJob.objects.count() == 1
    assert directory.patch(kim["id"], ON).json()["active"] is True
    assert me(old).status_code == 401
    assert me(issuer.token(sub="kim", iat=int(time.time()) + 2)).status_code == 200


def test_an_inactive_user_may_be_made(directory: Directory, issuer: TestIssuer) -> None:
    made = directory.create(userName="lee", active=False).json()
    assert made["active"] is False
    assert me(issuer.token(sub="lee")).status_code == 401


def test_the_receipt_is_linked(directory: Directory, kim: Any) -> None:
    path = f"/Users/{kim['id']}"
    assert "Link" not in directory.get(path)
    assert directory.get(f"{path}/leaver-receipt").status_code == 404
    answer = directory.patch(kim["id"], OFF)
    assert answer["Link"] == f'<{kim["meta"]["location"]}/leaver-receipt>; rel="related"'
    receipt = directory.get(f"{path}/leaver-receipt").json()["receipt"]
    claims = jwt.decode(receipt, options={"verify_signature": False})
    assert (claims["subject"], claims["interface"]) == ("kim", "scim")
    assert claims["remaining"] == [{"app": "providers", "platform": "bank", "connections": 3}]


def test_a_receipt_that_is_archived_is_not_linked(
    directory: Directory, kim: Any, tmp_path: Path
) -> None:
    directory.patch(kim["id"], OFF)
    archive_everything(tmp_path)
    path = f"/Users/{kim['id']}"
    assert "Link" not in directory.get(path)
    assert directory.get(f"{path}/leaver-receipt").status_code == 404


@pytest.fixture
def deleted(directory: Directory, kim: Any) -> Any:
    assert directory.call("DELETE", f"/Users/{kim['id']}").status_code == 204
    return kim


@pytest.mark.django_db(transaction=True)
def test_a_deleted_user_is_forgotten(
    directory: Directory, issuer: TestIssuer, deleted: Any
) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body = {"schemas": [], "Operations": [OFF]} if method == "PATCH" else None
        assert directory.call(method, f"/Users/{deleted['id']}", body).status_code in {400, 404}
    assert directory.get(f"/Users/{deleted['id']}").status_code == 404
    assert directory.get('/Users?filter=userName eq "kim@example.com"').json()["totalResults"] == 0
    process_offboardings()
    assert live() == 0
    user = principal(deleted)
    assert (user.issuer, user.subject, user.is_active) == (None, None, False)
    assert not ScimProfile.objects.exists()
    assert not Connection.objects.exclude(platform_account_name="").exists()
    assert ForgottenSubject.objects.count() == 1
    assert AuditEvent.objects.filter(action="user_forgotten").count() == 1


def test_older_tokens_bring_nobody_back(directory: Directory, issuer: TestIssuer, kim: Any) -> None:
    old = issuer.token(sub="kim")
    directory.call("DELETE", f"/Users/{kim['id']}")
    assert me(old).status_code == 401
    again = directory.create(userName="kim@example.com", externalId="kim")
    assert again.status_code == 201
    assert again.json()["id"] != kim["id"]
    # Somebody new by that name, for whom tokens from before don't speak either.
    assert me(old).status_code == 401
    new = issuer.token(sub="kim", iat=int(time.time()) + 2)
    assert me(new).json()["principal_id"] == again.json()["id"]


def test_coming_back_makes_no_older_token_good(
    directory: Directory, issuer: TestIssuer, kim: Any
) -> None:
    old = issuer.token(sub="kim")
    directory.call("DELETE", f"/Users/{kim['id']}")
    new = issuer.token(sub="kim", iat=int(time.time()) + 2)
    assert me(new).json()["principal_id"] != kim["id"]
    assert me(old).status_code == 401
    assert me(new).status_code == 200


def test_an_issuer_ahead_brings_nobody_back(
    directory: Directory, issuer: TestIssuer, kim: Any
) -> None:
    old = issuer.token(sub="kim", iat=time.time() + 4)
    assert me(old).status_code == 200
    directory.call("DELETE", f"/Users/{kim['id']}")
    assert me(old).status_code == 401
    assert not User.objects.filter(subject="kim").exists()
    new = issuer.token(sub="kim", iat=time.time() + 4)
    assert me(new).status_code == 200
    assert me(old).status_code == 401


def test_an_issuer_ahead_lets_nobody_in_again(
    directory: Directory, issuer: TestIssuer, kim: Any
) -> None:
    old = issuer.token(sub="kim", iat=time.time() + 25)
    assert me(old).status_code == 200
    directory.patch(kim["id"], OFF)
    directory.patch(kim["id"], ON)
    assert me(old).status_code == 401
    assert me(issuer.token(sub="kim", iat=time.time() + 25)).status_code == 200


def test_a_change_of_subject_brings_nobody_back(directory: Directory, issuer: TestIssuer) -> None:
    old, made = issuer.token(sub="k-1"), directory.create(userName="k-1").json()
    assert me(old).status_code == 200
    renamed = {"op": "replace", "value": {"active": False, "userName": "left-k-1"}}
    assert directory.patch(made["id"], renamed).status_code == 200
    assert me(old).status_code == 401
    again = directory.create(userName="kim").json()
    directory.patch(again["id"], {"op": "add", "path": "externalId", "value": "k-1"})
    assert me(old).status_code == 401
    new = issuer.token(sub="k-1", iat=int(time.time()) + 2)
    assert me(new).json()["principal_id"] == again["id"]


def test_others_are_left_alone(directory: Directory, kim: Any, outsider: User) -> None:
    directory.call("DELETE", f"/Users/{kim['id']}")
    outsider.refresh_from_db()
    assert outsider.is_active
