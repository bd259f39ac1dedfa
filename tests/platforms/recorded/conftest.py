"""A recording, served on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import catalog
from tests.platforms.recorded.overlays import SHIPPED, moved_table
from tests.platforms.recorded.platform import RecordedPlatform
from tests.platforms.recorded.recording import Recording
from tests.support.bank import REDIRECT_URI
from tests.support.platform_server import PlatformServer

ServeRecording = Callable[[Recording], RecordedPlatform]


@pytest.fixture
def serve_recording(
    server: PlatformServer, settings: LazySettings, tmp_path: Path
) -> ServeRecording:
    def serve(recording: Recording) -> RecordedPlatform:
        path = tmp_path / "overlay.toml"
        path.write_text(moved_table(SHIPPED[recording.slug], server.url), encoding="utf-8")
        settings.CATALOG_FILES = (path,)
        client = asdict(ClientRegistration("our client", "s3cret/+&=%", (REDIRECT_URI,)))
        settings.OAUTH_CLIENTS = {one.slug: client for one in catalog().all()}
        made = RecordedPlatform(recording, server)
        made.open()
        return made

    return serve


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_project.api.throttling.consume", lambda *_: None)


@pytest.fixture(autouse=True)
def _that_day() -> Iterator[None]:
    """Have it be a day shortly after what is recorded."""
    with time_machine.travel("2026-11-28T12:00:00Z"):
        yield
