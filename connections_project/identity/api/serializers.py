"""Bodies of the sign-in calls."""

from typing import Any

from rest_framework import serializers

from connections_project.api.fields import Text
from connections_project.identity.models import PrincipalType


class CredentialsSerializer(serializers.Serializer[Any]):
    # No address is refused for its form: whether it has an account is all that counts.
    email = Text(max_length=254)
    password = Text(max_length=1024, trim_whitespace=False)


class TeamAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MeAnswer(serializers.Serializer[Any]):
    """Whom a token speaks for."""

    principal_id = serializers.UUIDField(source="pk")
    principal_type = serializers.ChoiceField(PrincipalType.choices)
    email = serializers.CharField(allow_null=True, source="shown_email")
    issuer = serializers.CharField(allow_null=True, help_text="`null` for local principals.")
    subject = serializers.CharField(allow_null=True, help_text="At that issuer.")
    teams = TeamAnswer(many=True, source="own_teams")


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh_token = Text(max_length=4096)


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Always `bearer`.")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
