"""No token and nothing that a platform says is written down where a post is published."""

import json
import logging
from typing import NoReturn

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from audit.models import AuditEvent
from channels.models import ChannelConnection, PublishEvent, Schedule
from connections_project.core.logs import ConsoleFormatter
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Publishing
from connections_project.platforms.publishing import Post, PublishSession
from tests.support.channel_publishing import X, due_schedule, tried
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer

ECHO = {"title": "access-0", "detail": "refresh-0", "error": "client secret"}


@pytest.mark.django_db
@pytest.mark.parametrize("status", [201, 400, 401, 403, 429, 500, 503])
def test_an_echoed_token_reaches_nothing(
    row: ChannelConnection, like_x: Chirp, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    due_schedule(row)
    like_x.server.on("POST", X, Answer(status, json=ECHO, headers={"x-restli-id": "access-0"}))
    assert tried() in (["failed"], ["pending"])
    tables = (Schedule, PublishEvent, AuditEvent)
    stored = [list(table._default_manager.values()) for table in tables]
    written = caplog.text + json.dumps(stored, cls=DjangoJSONEncoder)
    for secret in ("access-0", "refresh-0", "access-1", "client secret"):
        assert secret not in written


@pytest.mark.django_db
def test_an_adapters_slip_is_logged_without_its_text(
    row: ChannelConnection,
    like_x: Chirp,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def publish(session: PublishSession, _: Post) -> NoReturn:
        raise KeyError(session.tokens.access_token)

    publishing = Publishing(publish=publish)
    monkeypatch.setattr("channels.attempt.adapter_of", lambda _: Adapter(publishing=publishing))
    due_schedule(row)
    assert tried() == ["failed"]
    written = "\n".join(map(ConsoleFormatter().format, caplog.records))
    assert "KeyError in " in written
    assert "access-0" not in written
