"""Bodies of the sign-in calls."""

from typing import Any

from rest_framework import serializers

from connections_project.api.fields import Text


class CredentialsSerializer(serializers.Serializer[Any]):
    # No address is refused for its form: whether it has an account is all that counts.
    email = Text(max_length=254)
    password = Text(max_length=1024, trim_whitespace=False)


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh_token = Text(max_length=4096)


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Always `bearer`.")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
