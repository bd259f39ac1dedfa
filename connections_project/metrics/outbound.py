"""Metrics of calls to platforms, as `oauth/observers.py` reports them."""

from connections_project.core.instruments import OUTBOUND_SECONDS
from connections_project.oauth.answers import failure_of
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.observers import Kind
from connections_project.oauth.transport import Answer


def count_call(platform: str, kind: Kind, result: Answer | PlatformError, seconds: float) -> None:
    """Count and time a call; its outcome is "success" or an ErrorCode."""
    failure = result.code if isinstance(result, PlatformError) else failure_of(result)
    OUTBOUND_SECONDS.labels(platform, kind, failure or "success").observe(seconds)
