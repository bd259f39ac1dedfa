"""Whatever a host's clock shows, what it ends is over on all hosts, and nothing later is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client

from audit.record import Origin
from connections_project.api.rate_limits import process_buckets
from connections_project.core import clock
from connections_project.identity import sessions
from connections_project.identity.models import ForgottenSubject, User
from connections_project.identity.origins import command_origin
from connections_project.operations import offboarding
from tests.scim.conftest import Directory, directory, me
from tests.support.clocks import host_ahead, read_right
from tests.support.issuer import TestIssuer
from tests.webhooks.conftest import AUDIENCE

__all__ = ["directory"]

pytestmark = pytest.mark.django_db

SECEVENT = "https://schemas.openid.net/secevent"
ORIGIN: Origin = command_origin(None)
WHY: dict[str, Any] = {"reason": "test", "origin": ORIGIN}


@pytest.fixture(autouse=True)
def _right(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    read_right(monkeypatch)
    settings.REDIS_URL = ""


@contextmanager
def other_host(ahead: int) -> Iterator[None]:
    """Be another host, whose clock is wrong, and which has counted no calls."""
    process_buckets.cache_clear()
    with host_ahead(ahead):
        yield
    process_buckets.cache_clear()


@pytest.fixture
def kim(issuer: TestIssuer, directory: Directory) -> User:
    made = directory.create(userName="kim", externalId="kim").json()
    return User.objects.get(pk=made["id"])


def switch(directory: Directory, user: User, *values: bool) -> None:
    for value in values:
        change = {"op": "replace", "path": "active", "value": value}
        assert directory.patch(str(user.pk), change).status_code == 200


def tell(issuer: TestIssuer, kind: str) -> None:
    """Tell, by the issuer's right clock, of what has just happened."""
    token = issuer.token(
        aud=AUDIENCE, sub=None, email=None, exp=None, jti=str(uuid4()),
        iat=clock.now().timestamp(), events={f"{SECEVENT}/{kind}": {}},
        sub_id={"format": "iss_sub", "iss": issuer.url, "sub": "kim"},
        headers={"typ": "secevent+jwt"},
    )  # fmt: skip
    path = "/api/v1/webhooks/security-events/main"
    answer = Client().generic("POST", path, token, content_type="application/secevent+jwt")
    assert answer.status_code == 202


def revoke(issuer: TestIssuer, directory: Directory) -> None:
    answer = Client().post(
        "/api/v1/global-token-revocation",
        {"sub_id": {"format": "iss_sub", "iss": issuer.url, "sub": "kim"}},
        content_type="application/json",
        headers={"Authorization": f"Bearer {directory.token}"},
    )
    assert answer.status_code == 204


def set_password(user: User) -> None:
    user.set_unusable_password()
    user.save()


def put_out_and_let_in(user: User) -> None:
    offboarding.deactivate(user, **WHY)
    offboarding.reactivate(user, **WHY)


Door = Callable[[Directory, TestIssuer, User], object]
# What ends sessions, after which the person may come in again.
DOORS: dict[str, Door] = {
    "SCIM, off and on": lambda scim, _issuer, user: switch(scim, user, False, True),
    "global revocation": lambda scim, issuer, _user: revoke(issuer, scim),
    "session revoked": lambda _scim, issuer, _user: tell(issuer, "caep/event-type/session-revoked"),
    "sign-out everywhere": lambda _scim, _issuer, user: sessions.end_all(
        user, until=clock.now(), **WHY
    ),
    "a password's end": lambda _scim, _issuer, user: set_password(user),
    "deactivated": lambda _scim, _issuer, user: put_out_and_let_in(user),
}
FOREVER: dict[str, Door] = {
    "SCIM": lambda scim, _issuer, user: scim.call("DELETE", f"/Users/{user.pk}"),
    "forgotten": lambda _scim, _issuer, user: offboarding.forget(user, **WHY),
}


@pytest.mark.parametrize("ahead", [-120, 120])
@pytest.mark.parametrize("door", DOORS)
def test_what_is_ended_is_over_everywhere(
    directory: Directory, issuer: TestIssuer, kim: User, door: str, ahead: int
) -> None:
    old, began = issuer.token(iat=time.time() - 3), clock.now()
    assert me(old).status_code == 200
    with other_host(ahead):
        DOORS[door](directory, issuer, User.objects.get(pk=kim.pk))
    assert me(old).status_code == 401
    assert not User.objects.get(pk=kim.pk).is_good_since(began)
    assert me(issuer.token(iat=time.time() + 2)).status_code == 200
    assert User.objects.get(pk=kim.pk).is_good_since(clock.now())


@pytest.mark.parametrize("ahead", [-120, 120])
@pytest.mark.parametrize("door", FOREVER)
def test_nobody_who_was_forgotten_comes_back(
    directory: Directory, issuer: TestIssuer, kim: User, door: str, ahead: int
) -> None:
    old = issuer.token(iat=time.time() - 3)
    assert me(old).status_code == 200
    with other_host(ahead):
        FOREVER[door](directory, issuer, kim)
    assert me(old).status_code == 401
    assert ForgottenSubject.objects.get().forgotten_at <= clock.now()
    assert me(issuer.token(iat=time.time() + 2)).status_code == 200


@pytest.mark.parametrize("ahead", [-20, 20])
def test_an_issuers_lead_is_by_the_right_clock(issuer: TestIssuer, kim: User, ahead: int) -> None:
    with other_host(ahead):
        assert me(issuer.token(iat=clock.now().timestamp())).status_code == 200
    assert User.objects.get(pk=kim.pk).clock_lead < 1
