"""What TikTok answers in place of an error's code."""

from typing import Any

import pytest

from channels.adapters import tiktok
from channels.models import ChannelConnection
from connections_project.oauth.errors import PlatformError
from connections_project.platforms.publishing import PublishSession
from connections_project.platforms.registry import usable
from tests.support.chirp import Chirp
from tests.support.platform_server import Answer

PATH = "/v2/post/publish/content/init/"


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["spam_risk", 7, [], {"of": "ok"}])
def test_whatever_is_not_ok_is_a_refusal(row: ChannelConnection, chirp: Chirp, code: Any) -> None:
    chirp.server.on("POST", PATH, Answer(json={"error": {"code": code}}))
    session = PublishSession(usable("chirp"), row.opened(), float("inf"), lambda: None)
    with pytest.raises(PlatformError, match="refused"):
        tiktok._post(session, PATH, {})
