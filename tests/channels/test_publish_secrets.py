"""No token and nothing that a platform says is written down where a post is published."""

import json
import logging

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from audit.models import AuditEvent
from channels.models import ChannelConnection, PublishEvent, Schedule
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
