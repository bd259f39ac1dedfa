"""A signature is verified once in a process; all else is looked at with each call."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.test import APIClient

from connections_project.identity import tokens
from connections_project.identity.models import User
from connections_project.identity.verified_tokens import VerifiedTokens

ME = "/api/v1/me"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What signatures are verified of, from now on."""
    found: list[Any] = []
    decode = jwt.decode

    def noted(token: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(token)
        return decode(token, *args, **kwargs)

    monkeypatch.setattr(jwt, "decode", noted)
    monkeypatch.setattr(tokens, "_access_tokens", VerifiedTokens(2))
    return found


def test_calls_with_one_token_verify_it_once(api: APIClient, verified: list[Any]) -> None:
    for _ in range(3):
        assert api.get(ME).status_code == 200
    assert len(verified) == 1


def test_the_end_is_looked_at_each_time(api: APIClient, verified: list[Any]) -> None:
    assert api.get(ME).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert api.get(ME).status_code == 401
    assert len(verified) == 1


def test_nothing_of_the_principal_is_remembered(
    api: APIClient, owner: User, verified: list[Any]
) -> None:
    assert api.get(ME).status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert api.get(ME).status_code == 401
    User.objects.filter(pk=owner.pk).update(is_active=True)
    assert api.get(ME).status_code == 200
    owner.set_password("another password")
    owner.save()
    assert api.get(ME).status_code == 401


def test_another_key_knows_none_of_them(
    api: APIClient, verified: list[Any], settings: LazySettings
) -> None:
    assert api.get(ME).status_code == 200
    settings.SECRET_KEY = "another key, with which none of these was signed" * 2
    api.get(ME)
    assert len(verified) == 2


def test_forged_tokens_are_not_remembered(api: APIClient, verified: list[Any]) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
    for _ in range(2):
        assert api.get(ME).status_code == 401
    assert len(verified) == 2


def test_no_more_are_remembered_than_that() -> None:
    known = VerifiedTokens(2)
    made: list[bytes] = []

    def verify(raw: bytes) -> dict[str, Any]:
        made.append(raw)
        return {"raw": raw}

    for raw in (b"1", b"2", b"1", b"3", b"1"):
        assert known.read(raw, verify) == {"raw": raw}
    # The first of three was forgotten, and what was handed out can be changed.
    assert made == [b"1", b"2", b"3", b"1"]
    known.read(b"3", verify)["raw"] = b"changed"
    assert known.read(b"3", verify) == {"raw": b"3"}
