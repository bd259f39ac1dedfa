"""Channels, their schedules and what was published, for operators to read."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from channels.models import (
    ChannelConnection,
    PublishEvent,
    PublishOutcome,
    Schedule,
    ScheduleStatus,
)
from channels.restore import restore
from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import MADE, column_filter
from connections_project.admin.formatting import badge, format_datetime, link_to, short_id
from connections_project.admin.object_actions import ObjectAction
from connections_project.connections.admin import ConnectionAdmin
from connections_project.identity.origins import admin_origin


def _restore(request: HttpRequest, row: ChannelConnection, reason: str) -> str:
    restore(connection_id=row.pk, reason=reason, origin=admin_origin(request))
    return "Its owner sees it again. It stays disconnected."


@admin.register(ChannelConnection)
class ChannelConnectionAdmin(ConnectionAdmin):
    own_fields = ("cached_data",)
    object_actions = (
        ObjectAction(
            name="restore",
            label="Restore to its owner's sight",
            permission="channels.change_channelconnection",
            question="Its owner deleted it, and will see it again as a disconnected channel. "
            "No credentials come back: to publish, the owner connects it anew.",
            do=_restore,
            applies=lambda row: row.deleted_at is not None,
        ),
    )


class OfChannelAdmin(ReadOnlyAdmin):
    """Rows of a channel."""

    list_select_related = ("channel_connection",)

    def of_channel(self, row: Schedule | PublishEvent) -> SafeString | str:
        connection = row.channel_connection
        return link_to(connection, f"{connection.account_name or connection.pk}")

    of_channel.short_description = "connection"  # type: ignore[attr-defined]


@admin.register(Schedule)
class ScheduleAdmin(OfChannelAdmin):
    """What is to be published, and when."""

    list_display = ("short_id", "shown_status", "of_channel", "runs", "attempts", "failure_reason")
    list_filter = (
        column_filter("status", lambda: [(value, value) for value in ScheduleStatus.values]),
        *MADE,
    )
    id_columns = ("id", "channel_connection_id", "user_id")
    saved_filters = {"Failed": "status=failed", "Waiting": "status=pending"}
    export_columns = ("id", "status", "channel_connection_id", "user_id", "run_at", "attempts",
                      "published_at", "failure_reason", "cancelled_at", "created_at")  # fmt: skip
    search_help_text = "The schedule's, its connection's or its owner's id"
    fields = ("id", "shown_status", "of_channel", "of_user", "content", "image_url",
              "shown_options", "run_at", "due_at", "attempts", "published_at", "failure_reason",
              "cancelled_at", "created_at", "updated_at")  # fmt: skip
    readonly_fields = fields

    def shown_status(self, row: Schedule) -> SafeString:
        return badge(row.status)

    shown_status.short_description = "status"  # type: ignore[attr-defined]

    def shown_options(self, row: Schedule) -> str:
        return ", ".join(f"{name}: {value}" for name, value in row.options.items()) or "none"

    shown_options.short_description = "options"  # type: ignore[attr-defined]

    def of_user(self, row: Schedule) -> SafeString | str:
        return link_to(row.user, row.user.shown_name)

    of_user.short_description = "owner"  # type: ignore[attr-defined]

    def runs(self, row: Schedule) -> SafeString | str:
        return format_datetime(row.run_at)


@admin.register(PublishEvent)
class PublishEventAdmin(OfChannelAdmin):
    """What platforms made of posts."""

    list_display = ("short_id", "shown_outcome", "of_channel", "happened", "post_url", "error_code")
    list_filter = (
        column_filter("outcome", lambda: [(value, value) for value in PublishOutcome.values]),
        *MADE,
    )
    id_columns = ("id", "channel_connection_id", "schedule_id")
    saved_filters = {"Failed": "outcome=failed"}
    export_columns = ("id", "outcome", "channel_connection_id", "schedule_id",
                      "platform_post_id", "post_url", "error_code", "occurred_at")  # fmt: skip
    search_help_text = "The event's, its connection's or its schedule's id"
    fields = ("id", "shown_outcome", "of_channel", "of_schedule", "platform_post_id", "post_url",
              "error_code", "occurred_at")  # fmt: skip
    readonly_fields = fields

    def shown_outcome(self, row: PublishEvent) -> SafeString:
        return badge(row.outcome)

    shown_outcome.short_description = "outcome"  # type: ignore[attr-defined]

    def of_schedule(self, row: PublishEvent) -> SafeString | str:
        return link_to(row.schedule, short_id(row.schedule_id or ""))

    of_schedule.short_description = "schedule"  # type: ignore[attr-defined]

    def happened(self, row: PublishEvent) -> SafeString | str:
        return format_datetime(row.occurred_at)
