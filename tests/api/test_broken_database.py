"""What a database refuses, in the format of the path.

A table that is missing is a defect: 500. Who is overtaken by another call has done nothing wrong.
"""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from channels.api.views import ChannelViewSet
from connections_project.identity.views import SignInView
from social.models import SocialAccount

pytestmark = pytest.mark.django_db
ID = "01a2121e-1577-711d-b1b3-61979b1c9ecc"
SOCIAL = "/api/v1/plugin/social-media-publisher/social"


def break_table(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_gone")


def test_a_social_disconnect_says_that_it_failed(api: APIClient) -> None:
    break_table(SocialAccount._meta.db_table)
    answer = api.delete(f"{SOCIAL}/disconnect/{ID}")
    assert answer.status_code == 500
    assert answer.json()["error"] == "Failed to disconnect"


def test_channels_have_their_own_format(api: APIClient) -> None:
    break_table("channel_connections")
    answer = api.delete(f"/api/v1/channels/connections/{ID}")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["error_code"] == "INTERNAL_ERROR"


class Refusal(Exception):
    """What PostgreSQL's driver raises, with a code of its appendix A."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("a secret of the database")
        self.sqlstate = sqlstate
        self.diag = SimpleNamespace(constraint_name="a_rule")


@pytest.mark.parametrize(
    ("kind", "sqlstate", "status", "code"),
    [
        (IntegrityError, "23503", 409, "CONFLICT"),
        (IntegrityError, "23505", 409, "CONFLICT"),
        (IntegrityError, "23514", 500, "INTERNAL_ERROR"),
        (OperationalError, "40P01", 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_call_that_was_overtaken(
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[DatabaseError],
    sqlstate: str,
    status: int,
    code: str,
) -> None:
    def lose(*_: Any, **__: Any) -> None:
        raise kind("a secret of the database") from Refusal(sqlstate)

    monkeypatch.setattr(ChannelViewSet, "destroy", lose)
    answer = api.delete(f"/api/v1/channels/connections/{ID}")
    assert answer.status_code == status
    assert answer.json()["errors"][0]["error_code"] == code
    assert ("Retry-After" in answer) == (status == 503)
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("path", [f"/api/v1/channels/connections/{ID}", "/sign-in"])
@pytest.mark.parametrize("sqlstate", ["23503", "23505"])
def test_the_log_names_the_rule_that_a_race_or_a_defect_broke(
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    sqlstate: str,
) -> None:
    def lose(*_: Any, **__: Any) -> None:
        raise IntegrityError("a secret of the database") from Refusal(sqlstate)

    monkeypatch.setattr(ChannelViewSet, "destroy", lose)
    monkeypatch.setattr(SignInView, "dispatch", lose)
    assert api.delete(path).status_code == 409
    (record,) = (one for one in caplog.records if "at the same moment" in one.message)
    assert (record.levelno, "a_rule" in record.message) == (logging.WARNING, True)
    assert "secret" not in caplog.text


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("a secret of the database")


@pytest.mark.parametrize("where", ["view", "session", "known session"])
def test_a_page_says_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def show(request: HttpRequest) -> HttpResponse:
        request.session["seen"] = True
        if where == "view":
            away()
        return HttpResponse()

    monkeypatch.setattr(SignInView, "dispatch", lambda _, request: show(request))
    if where == "known session":
        known = SessionStore()
        known.save()
        client.cookies["sessionid"] = str(known.session_key)
    monkeypatch.setattr(Session if where == "known session" else SessionStore, "save", away)
    answer = client.get("/sign-in")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Content-Type"].startswith("text/html")
    assert "secret" not in answer.content.decode()
