"""What several commands of the audit log take."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser


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
