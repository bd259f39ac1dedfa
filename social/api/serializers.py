"""Bodies of requests and answers, in the source document's spelling."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from connections_project.api.fields import Several, Text, filled, https_address
from connections_project.api.serializers import serialize_rows
from connections_project.connections.flow import Authorization
from connections_project.connections.serializers import RedirectUri
from connections_project.core.parsing import parse_uuid, render_datetime
from connections_project.platforms.post_rules import LONGEST_TEXT
from connections_project.platforms.publishing import Published
from social.errors import InvalidAccountIdError
from social.models import SocialAccount
from social.store_grant import StoredGrant

LONGEST_URL = 2048
MOST_ACCOUNTS = 100
DISCONNECTED_BY_TEAM = "disconnected_by_team"


def account_id(text: str) -> UUID:
    """Read an account's id.

    Raises:
        InvalidAccountIdError: It is no UUID.
    """
    found = parse_uuid(text)
    if found is None:
        raise InvalidAccountIdError
    return found


@extend_schema_field({"type": "string", "format": "uuid"})
class AccountId(Text):
    """An account's id: what is none has an error of its own, so its form is not looked at here."""

    def __init__(self, **more: Any) -> None:
        super().__init__(trim_whitespace=False, **more)


class SocialConnectRequest(serializers.Serializer[Any]):
    platform = Text(help_text="A slug from `GET /platforms?app=social`.")
    redirect_uri = RedirectUri()
    accountIds = Several(  # noqa: N815 (the document's spelling)
        child=AccountId(),
        required=False,
        allow_null=True,
        default=None,
        max_length=MOST_ACCOUNTS,
        help_text="Disconnected accounts that are to come back, if the grant is for them.",
    )


class SocialConnectAnswer(serializers.Serializer[Any]):
    authorizationUrl = serializers.CharField(  # noqa: N815
        help_text="Where the user's browser goes."
    )
    state = serializers.CharField(help_text="What must come back with it.")
    expiresIn = serializers.IntegerField(help_text="Seconds until the state ends.")  # noqa: N815


def connect_answer(started: Authorization) -> dict[str, Any]:
    return {
        "authorizationUrl": started.authorization_url,
        "state": started.state,
        "expiresIn": started.expires_in,
    }


class SocialAccountAnswer(serializers.Serializer[SocialAccount]):
    """A team's account at a social platform."""

    id = serializers.UUIDField()
    platform = serializers.CharField(help_text="Which platform: `instagram_business`.")
    accountName = serializers.CharField(help_text="`@myaccount`.")  # noqa: N815
    isActive = serializers.BooleanField(help_text="Whether it can be published to.")  # noqa: N815
    connectedAt = serializers.DateTimeField(help_text="Since when, at last.")  # noqa: N815
    disconnectedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815

    def to_representation(self, instance: SocialAccount) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "platform": instance.platform,
            "accountName": instance.platform_account_name,
            "isActive": instance.is_active,
            "connectedAt": instance.connected_at and render_datetime(instance.connected_at),
            "disconnectedAt": instance.disconnected_at
            and render_datetime(instance.disconnected_at),
        }


class SocialAccountListAnswer(serializers.Serializer[Any]):
    accounts = SocialAccountAnswer(many=True)


class SkippedAnswer(serializers.Serializer[Any]):
    """An account of the grant that stays inactive."""

    accountId = serializers.UUIDField()  # noqa: N815
    reason = serializers.ChoiceField(choices=[DISCONNECTED_BY_TEAM])


class SocialCallbackAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="Whether any of the accounts is active now.")
    connectedCount = serializers.IntegerField(  # noqa: N815
        help_text="How many accounts have fresh access now."
    )
    accounts = SocialAccountAnswer(many=True)
    skipped = SkippedAnswer(
        many=True, required=False, help_text="Those that stay inactive; left out for none."
    )


def callback_answer(stored: StoredGrant) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "success": any(account.is_active for account in stored.accounts),
        "connectedCount": len(stored.accounts),
        "accounts": serialize_rows(SocialAccountAnswer, stored.accounts),
    }
    if stored.skipped:
        answer["skipped"] = [
            {"accountId": str(account.pk), "reason": DISCONNECTED_BY_TEAM}
            for account in stored.skipped
        ]
    return answer


class SocialDisconnectRequest(serializers.Serializer[Any]):
    accountId = AccountId(help_text="An account of the team.")  # noqa: N815


class SocialDisconnectAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    accountId = serializers.UUIDField()  # noqa: N815
    message = serializers.CharField()


class SocialPublishRequest(serializers.Serializer[Any]):
    accountId = AccountId(help_text="An active account of the team.")  # noqa: N815
    caption = Text(
        max_length=LONGEST_TEXT,
        trim_whitespace=False,
        validators=[filled],
        help_text="The text; platforms may have a shorter limit of their own.",
    )
    imageUrl = Text(  # noqa: N815
        required=False,
        allow_null=True,
        default=None,
        max_length=LONGEST_URL,
        trim_whitespace=False,
        validators=[https_address],
        help_text="An https address that the platform fetches; the service itself never does.",
    )


class SocialPublishAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    platform = serializers.CharField()
    postId = serializers.CharField(help_text="The post's id at the platform.")  # noqa: N815
    postUrl = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="Where it can be seen; null where the platform doesn't say."
    )


def disconnect_answer(account: SocialAccount) -> dict[str, Any]:
    return {
        "success": True,
        "accountId": str(account.pk),
        "message": f"Successfully disconnected {account.platform_account_name}"
        f" ({account.platform})",
    }


def publish_answer(account: SocialAccount, published: Published) -> dict[str, Any]:
    return {
        "success": True,
        "platform": account.platform,
        "postId": published.post_id,
        "postUrl": published.url,
    }
