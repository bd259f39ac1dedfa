"""Bodies that the apps have in common."""

from typing import Any

from rest_framework import serializers

from connections_project.api.fields import Flag, Text
from connections_project.connections.flow import Authorization


class RedirectUri(Text):
    """Compared as it stands: what is trimmed would not be exactly the registered one."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            allow_null=True,
            default=None,
            trim_whitespace=False,
            help_text="Exactly one of the registered ones; without it, the first of them.",
        )


class ConnectAnswer(serializers.Serializer[Any]):
    authorization_url = serializers.CharField(help_text="Where the user's browser goes.")
    state = serializers.CharField(help_text="What must come back with it.")
    expires_in = serializers.IntegerField(help_text="Seconds until the state ends.")


def connect_answer(started: Authorization) -> dict[str, Any]:
    return {
        "authorization_url": started.authorization_url,
        "state": started.state,
        "expires_in": started.expires_in,
    }


class RefreshRequest(serializers.Serializer[Any]):
    force = Flag(
        required=False, default=False, help_text="Also if the token is good for a while yet."
    )
