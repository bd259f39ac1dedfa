"""Schedule a post on a channel."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Action
from audit.record import Origin, record
from channels.errors import ImageUnsupportedError, InactiveConnectionError, ScheduleTimeError
from channels.models import ChannelConnection, Schedule, Status
from channels.selectors import locked_connections, own_connection
from connections_project.identity.models import User
from connections_project.platforms.adapter import adapter_at


def schedule(
    *,
    connection_id: UUID,
    content: str,
    image_url: str | None,
    run_at: datetime,
    user: User,
    origin: Origin,
) -> Schedule:
    """Schedule a post on a user's own channel.

    Args:
        connection_id: The channel.
        content: The text.
        image_url: An https address that is passed on to the platform, and never fetched here.
        run_at: When it is to be published.
        user: Who asks.
        origin: The call, for the audit log.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        InactiveConnectionError: The channel is not connected.
        ImageUnsupportedError: The channel takes no picture by its address.
        ScheduleTimeError: The time has passed.
    """
    with transaction.atomic():
        # Under the connection's lock: a disconnect beside it either sees this schedule, or is seen.
        connection = own_connection(connection_id, user=user, rows=locked_connections())
        if connection.status != Status.CONNECTED:
            raise InactiveConnectionError
        if image_url is not None and _refuses_image_urls(connection.channel):
            raise ImageUnsupportedError
        made = _make(connection, content=content, image_url=image_url, run_at=run_at)
        _record(made, connection, origin=origin)
    return made


def _make(
    connection: ChannelConnection, *, content: str, image_url: str | None, run_at: datetime
) -> Schedule:
    now = timezone.now()
    if run_at <= now:
        raise ScheduleTimeError
    return Schedule.objects.create(
        channel_connection=connection,
        user_id=connection.user_id,
        content=content,
        image_url=image_url,
        run_at=run_at,
        due_at=run_at,
        created_at=now,
        updated_at=now,
    )


def _record(made: Schedule, connection: ChannelConnection, *, origin: Origin) -> None:
    record(
        Action.SCHEDULE_CREATED,
        origin=origin,
        subject_type="channels.schedule",
        subject_id=made.pk,
        subject_owner_id=made.user_id,
        details={"platform": connection.channel, "connection_id": str(connection.pk)},
    )


def _refuses_image_urls(channel: str) -> bool:
    """Whether no image can be published there; nobody knows where nothing publishes at all."""
    adapter = adapter_at(channel)
    return adapter.publish is not None and not adapter.takes_image_url
