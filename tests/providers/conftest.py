"""What the tests of providers share."""

import pytest

from connections_project.http import throttling


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test connect more often than five times a minute."""
    monkeypatch.setattr(throttling, "consume", lambda *_: None)
