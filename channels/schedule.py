"""Schedule a post on a channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.events import Action
from audit.record import Origin
from channels.errors import InactiveConnectionError, PublishingUnsupportedError, ScheduleTimeError
from channels.models import ChannelConnection, Schedule, Status
from channels.records import record_about_schedule
from channels.selectors import locked_connections, own_connection
from connections_project.core import clock
from connections_project.identity.models import User
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.catalog import catalog
from connections_project.platforms.post_rules import require_valid
from connections_project.platforms.publishing import InvalidPostError, PostProblem
from connections_project.platforms.registry import upstream


@dataclass(frozen=True, kw_only=True)
class WantedPost:
    """What a user wants published.

    Args:
        options: What else the channel is to be given, by name; see `own_options`.
    """

    content: str
    image_url: str | None
    options: Mapping[str, Any]
    run_at: datetime


def schedule(*, connection_id: UUID, wanted: WantedPost, user: User, origin: Origin) -> Schedule:
    """Schedule a post on a user's own channel.

    Raises:
        ConnectionNotFoundError, NotOwnerError: See `own_connection`.
        InactiveConnectionError: The channel is not connected.
        PublishingUnsupportedError: Nothing is published there.
        InvalidPostError: The channel has no such posts.
        ScheduleTimeError: The time has passed.
    """
    with transaction.atomic():
        # Under the connection's lock: a disconnect beside it either sees this schedule, or is seen.
        connection = own_connection(connection_id, user=user, rows=locked_connections())
        if connection.status != Status.CONNECTED:
            raise InactiveConnectionError
        options = own_options(wanted.options, connection.channel)
        _require_publishable(connection.channel, wanted, options)
        made = _make(connection, wanted, options)
        record_about_schedule(made, Action.SCHEDULE_CREATED, origin=origin)
    return made


def own_options(given: Mapping[str, Any], channel: str) -> dict[str, str]:
    """Return those of the given options that are for one channel.

    They may stand by themselves, or, for whoever gives several channels the same, under the slug of
    their channel or the name of its adapter, which several instances of one kind share; what stands
    under another one is not for this.

    Raises:
        InvalidPostError: An object is no channel's.
    """
    tables = {name: value for name, value in given.items() if isinstance(value, dict)}
    kind = _kind_of(channel)
    if unknown := [name for name in tables if name not in {kind, channel, *catalog()}]:
        raise InvalidPostError(
            *(PostProblem(f"options.{name}", "invalid", "Give a text.") for name in unknown)
        )
    plain = {name: value for name, value in given.items() if name not in tables}
    return {**plain, **tables.get(kind, {}), **tables.get(channel, {})}


def _kind_of(channel: str) -> str:
    """Return the name of the adapter that the catalogue gives a channel; "" for none."""
    found = upstream(channel)
    return found.platform.adapter.rpartition(".")[2] if found else ""


def _require_publishable(channel: str, wanted: WantedPost, options: Mapping[str, str]) -> None:
    """Refuse what would fail later; where nobody knows how to publish nobody knows what fails."""
    found = upstream(channel)
    if found is None:
        return
    publishing = adapter_of(found.platform).publishing
    if publishing is None and found.platform.no_publishing:
        raise PublishingUnsupportedError(found.platform.no_publishing)
    if publishing is not None:
        require_valid(
            found.platform,
            publishing,
            text=wanted.content,
            image_url=wanted.image_url,
            options=options,
        )


def _make(connection: ChannelConnection, wanted: WantedPost, options: dict[str, str]) -> Schedule:
    now = clock.now()
    if wanted.run_at <= now:
        raise ScheduleTimeError
    return Schedule.objects.create(
        channel_connection=connection,
        # Of a platform that nobody knows any more a worker makes sure that there is a circuit.
        channel=connection.channel if connection.channel in catalog() else "",
        user_id=connection.user_id,
        content=wanted.content,
        image_url=wanted.image_url,
        options=options,
        run_at=wanted.run_at,
        due_at=wanted.run_at,
        created_at=now,
        updated_at=now,
    )
