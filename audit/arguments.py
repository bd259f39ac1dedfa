"""What several commands of the audit log take."""

from datetime import UTC, datetime, time
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime


def add_accept(parser: CommandParser) -> None:
    parser.add_argument(
        "--accept",
        action="append",
        type=UUID,
        default=[],
        metavar="EVENT_ID",
        help="pass over an event that turned up late and has been looked into",
    )


def user_id(email: str) -> UUID:
    user = get_user_model().objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise CommandError(f"There is no user {email}.")
    found: UUID = user.pk
    return found


def date_or_time(text: str) -> datetime:
    """Read a date or a time; argparse words the ValueError that a wrong one raises."""
    day = parse_date(text)
    time_given = datetime.combine(day, time()) if day else parse_datetime(text)
    if time_given is None:
        raise ValueError(text)
    return time_given if time_given.tzinfo else time_given.replace(tzinfo=UTC)


# argparse names the type in its message.
date_or_time.__name__ = "date or time"
