"""Bodies of requests and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from channels.api.post_options import PostOptions
from channels.models import (
    ChannelConnection,
    PublishEvent,
    PublishOutcome,
    Schedule,
    ScheduleStatus,
    Status,
)
from connections_project.api.fields import Reference, Several, Text, filled, https_address
from connections_project.api.serializers import PaginationAnswer
from connections_project.connections.serializers import RedirectUri
from connections_project.core.parsing import render_datetime
from connections_project.platforms.post_rules import LONGEST_TEXT

MOST_AT_ONCE = 1000


class ChannelConnectRequest(serializers.Serializer[Any]):
    channel = Text(help_text="A slug from `GET /platforms?app=channels`.")
    redirect_uri = RedirectUri()


class ScheduleRequest(serializers.Serializer[Any]):
    channel_connection_id = Reference(help_text="An own, connected channel.")
    # Published as it stands, blanks at its ends too.
    content = Text(
        max_length=LONGEST_TEXT,
        trim_whitespace=False,
        validators=[filled],
        help_text="The text of the post.",
    )
    image_url = Text(
        max_length=2048,
        required=False,
        allow_null=True,
        default=None,
        validators=[https_address],
        help_text="The https address of a picture.",
    )
    options = PostOptions(
        required=False,
        allow_null=True,
        default=dict,
        help_text="What else the channel is given: `publishes.options` of `GET /platforms` has the "
        "names (Pinterest: `board_id`; Reddit: `subreddit`, `title`; Mastodon: `visibility`; "
        "`alt_text` for pictures). They may also stand under the channel's slug.",
    )
    run_at = Text(
        help_text="When it is published: a time to come, in UTC unless it says otherwise."
    )


@extend_schema_serializer(component_name="CancelSeveral")
class CancelSeveralRequest(serializers.Serializer[Any]):
    """Some schedules."""

    schedule_ids = Several(
        child=Reference(), allow_empty=False, max_length=MOST_AT_ONCE, help_text="Which ones."
    )


@extend_schema_serializer(component_name="CancelAll")
class CancelAllRequest(serializers.Serializer[Any]):
    """All schedules of a channel."""

    channel_connection_id = Reference(help_text="An own channel.")


class BulkCancelRequest(serializers.Serializer[Any]):
    """Either of the two; both at once, or none, are refused."""

    schedule_ids = Several(
        child=Text(),
        required=False,
        allow_null=True,
        allow_empty=False,
        default=None,
        max_length=MOST_AT_ONCE,
    )
    channel_connection_id = Reference(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["schedule_ids"] is None) is (attrs["channel_connection_id"] is None):
            message = "Give either schedule_ids or channel_connection_id."
            raise ValidationError({"schedule_ids": [message]}, code="invalid")
        return attrs


class ChannelAnswer(serializers.Serializer[ChannelConnection]):
    """A user's link to an account at a channel."""

    id = serializers.UUIDField()
    channel = serializers.CharField(help_text="Which channel: `mastodon`.")
    account_id = serializers.CharField(
        allow_null=True, help_text="The account's id there; null where the channel returns none."
    )
    account_name = serializers.CharField(allow_null=True, help_text="Its name for people.")
    status = serializers.ChoiceField(choices=Status.choices, help_text="Where it stands.")
    connected_at = serializers.DateTimeField(allow_null=True)
    disconnected_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: ChannelConnection) -> dict[str, Any]:
        # Written out by hand, since a list of them is a hot path.
        return {
            "id": str(instance.pk),
            "channel": instance.channel,
            "account_id": instance.platform_account_id,
            "account_name": instance.platform_account_name or None,
            "status": instance.status,
            "connected_at": instance.connected_at and render_datetime(instance.connected_at),
            "disconnected_at": instance.disconnected_at
            and render_datetime(instance.disconnected_at),
            "created_at": render_datetime(instance.created_at),
            "updated_at": render_datetime(instance.updated_at),
        }


class ChannelDisconnectAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["disconnected"])
    disconnected_at = serializers.DateTimeField(help_text="When it was disconnected first.")
    message = serializers.CharField()


def disconnect_answer(connection: ChannelConnection) -> dict[str, Any]:
    ended = connection.disconnected_at
    return {
        "id": str(connection.pk),
        "status": connection.status,
        "disconnected_at": ended and render_datetime(ended),
        "message": "Channel connection successfully disconnected",
    }


class ScheduleAnswer(serializers.Serializer[Schedule]):
    """A post that is to be published, or was."""

    id = serializers.UUIDField()
    channel_connection_id = serializers.UUIDField()
    content = serializers.CharField()
    image_url = serializers.CharField(allow_null=True)
    options = serializers.DictField(
        child=serializers.CharField(), help_text="What else the channel is given."
    )
    run_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=ScheduleStatus.choices, help_text="Where it stands.")
    failure_reason = serializers.CharField(
        allow_null=True,
        help_text="Why it failed: `outcome_unknown` (it may be out there, and is not sent again), "
        "`connection_inactive`, `refused`, or another word for programs.",
    )
    published_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: Schedule) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "channel_connection_id": str(instance.channel_connection_id),
            "content": instance.content,
            "image_url": instance.image_url,
            "options": instance.options,
            "run_at": render_datetime(instance.run_at),
            "status": instance.status,
            "failure_reason": instance.failure_reason,
            "published_at": instance.published_at and render_datetime(instance.published_at),
            "cancelled_at": instance.cancelled_at and render_datetime(instance.cancelled_at),
            "created_at": render_datetime(instance.created_at),
            "updated_at": render_datetime(instance.updated_at),
        }


class PublishEventAnswer(serializers.Serializer[PublishEvent]):
    """What a channel made of a post."""

    id = serializers.UUIDField()
    channel_connection_id = serializers.UUIDField()
    schedule_id = serializers.UUIDField(allow_null=True)
    outcome = serializers.ChoiceField(choices=PublishOutcome.choices)
    platform_post_id = serializers.CharField(allow_null=True, help_text="The post's id there.")
    post_url = serializers.CharField(allow_null=True, help_text="Where people see it.")
    error_code = serializers.CharField(
        allow_null=True, help_text="Why it was not published: a word for programs."
    )
    occurred_at = serializers.DateTimeField()

    def to_representation(self, instance: PublishEvent) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "channel_connection_id": str(instance.channel_connection_id),
            "schedule_id": instance.schedule_id and str(instance.schedule_id),
            "outcome": instance.outcome,
            "platform_post_id": instance.platform_post_id,
            "post_url": instance.post_url,
            "error_code": instance.error_code,
            "occurred_at": render_datetime(instance.occurred_at),
        }


class BulkCancelError(serializers.Serializer[Any]):
    schedule_id = serializers.UUIDField()
    error_code = serializers.ChoiceField(
        choices=["SCHEDULE_NOT_FOUND", "SCHEDULE_ALREADY_CANCELLED", "SCHEDULE_CANNOT_BE_CANCELLED"]
    )


class BulkCancelAnswer(serializers.Serializer[Any]):
    cancelled = serializers.IntegerField(help_text="How many were cancelled.")
    failed = serializers.IntegerField(help_text="How many were not.")
    # DRF takes declared fields out of the class, so this hides nothing.
    errors = BulkCancelError(many=True)  # type: ignore[assignment]


class ChannelPage(serializers.Serializer[Any]):
    data = ChannelAnswer(many=True)  # type: ignore[assignment]
    pagination = PaginationAnswer()


class SchedulePage(serializers.Serializer[Any]):
    data = ScheduleAnswer(many=True)  # type: ignore[assignment]
    pagination = PaginationAnswer()


class PublishEventPage(serializers.Serializer[Any]):
    data = PublishEventAnswer(many=True)  # type: ignore[assignment]
    pagination = PaginationAnswer()
