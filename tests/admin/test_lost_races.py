"""What an operator sees who was overtaken by somebody else's change."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.messages import get_messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.test import Client

from audit.models import AuditEvent
from connections_project.core.ids import uuid7
from connections_project.identity.admin import TeamAdmin
from connections_project.identity.admin_site import TRIES
from connections_project.identity.models import User

pytestmark = pytest.mark.django_db(transaction=True)

TEAMS = "/admin/identity/team"
COUNTS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
FORM = {**COUNTS, "row_id": str(uuid7())}

LoseTimes = Callable[[int], list[int]]


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    client.raise_request_exception = False
    return client


@pytest.fixture
def lose_times(monkeypatch: pytest.MonkeyPatch) -> LoseTimes:
    """Have the first so many tries to save a team lose; return the list of all tries."""
    save = TeamAdmin.save_related
    tries: list[int] = []

    def lose_times(most: int) -> list[int]:
        def lose(its_admin: TeamAdmin, request: HttpRequest, *more: Any) -> None:
            save(its_admin, request, *more)
            tries.append(1)
            messages.success(request, "It is saved.")
            if len(tries) <= most:
                raise IntegrityError("UNIQUE constraint failed: a secret")

        monkeypatch.setattr(TeamAdmin, "save_related", lose)
        return tries

    return lose_times


def test_it_is_tried_again_and_told_once(page: Client, lose_times: LoseTimes) -> None:
    tries = lose_times(1)
    answer = page.post(f"{TEAMS}/add/", FORM | {"name": "Press"})
    assert (answer.status_code, len(tries)) == (302, 2)
    told = [str(one) for one in get_messages(answer.wsgi_request)]
    assert told.count("It is saved.") == 1
    assert AuditEvent.objects.filter(action="team_changed").count() == 1


def test_whoever_loses_again_and_again_is_told_what_to_do(
    page: Client, lose_times: LoseTimes
) -> None:
    tries = lose_times(TRIES)
    answer = page.post(f"{TEAMS}/add/", FORM | {"name": "Press"})
    assert (answer.status_code, len(tries)) == (409, TRIES)
    text = answer.content.decode()
    assert "see what is still to be done" in text
    assert "a secret" not in text


def test_what_is_wrong_by_itself_is_not_tried_again(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def fail(*_: Any) -> None:
        tries.append(1)
        raise IntegrityError("CHECK constraint failed: a rule")

    monkeypatch.setattr(TeamAdmin, "save_related", fail)
    answer = page.post(f"{TEAMS}/add/", FORM | {"name": "Press"})
    assert (answer.status_code, len(tries)) == (500, 1)
