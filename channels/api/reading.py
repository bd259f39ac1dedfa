"""Reading what a request of this app names: ids, filters, times."""

from datetime import datetime
from uuid import UUID

from rest_framework.request import Request

from channels.api.errors import CODES, api_error
from channels.errors import ScheduleTimeError
from channels.models import ChannelConnection
from connections_project.api.errors import ApiException, FieldError
from connections_project.api.serializers import choice
from connections_project.core.parsing import parse_datetime, parse_uuid
from connections_project.identity.models import User
from connections_project.platforms.catalog import catalog


def connection_id(text: str, *, field: str = "") -> UUID:
    """Read a connection's id.

    Args:
        field: Where it stands, if that is not the path.

    Raises:
        ApiException: 400 INVALID_CONNECTION_ID.
    """
    return _read(text, "INVALID_CONNECTION_ID", field)


def schedule_id(text: str, *, field: str = "") -> UUID:
    """Read a schedule's id.

    Raises:
        ApiException: 400 INVALID_SCHEDULE_ID.
    """
    return _read(text, "INVALID_SCHEDULE_ID", field)


def _read(text: str, code: str, field: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        fields = [FieldError(field, "invalid", CODES[code][1])] if field else []
        raise ApiException(api_error(code, *fields))
    return found


def time(text: str) -> datetime:
    """Read the time of a schedule.

    Raises:
        ScheduleTimeError: It is none.
    """
    try:
        return parse_datetime(text)
    except ValueError:
        raise ScheduleTimeError from None


def channel(request: Request, user: User) -> str | None:
    """Read the filter by channel; a platform that has left the catalogue is known by its rows.

    Raises:
        ApiException: 400 that names it.
    """
    slugs = [platform.slug for platform in catalog().of_app("channels")]
    text = request.query_params.get("channel")
    if text is not None and text not in slugs and _has(user, text):
        return text
    return choice(request, "channel", slugs)


def _has(user: User, slug: str) -> bool:
    return ChannelConnection.objects.filter(user=user, channel=slug).exists()
