"""What several commands of the audit log take."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from audit.people import MOST_PEOPLE, people_named


def add_accept(parser: CommandParser) -> None:
    parser.add_argument(
        "--accept",
        action="append",
        type=UUID,
        default=[],
        metavar="EVENT_ID",
        help="pass over an event that turned up late and has been looked into",
    )


def find_person(text: str, **conditions: Any) -> Any:
    """Return the user whom an id or an e-mail address names, here or at an issuer; None for nobody.

    Args:
        conditions: What the user must be besides, as a queryset's filter takes it.

    Raises:
        CommandError: Several have the address (exit code 2). What issuers say of addresses is
            theirs, so none of them is preferred.
    """
    found = list(people_named(text).filter(**conditions)[:MOST_PEOPLE])
    if len(found) > 1:
        choices = "".join(f"\n  {one.pk}  {_home(one)}" for one in found)
        raise CommandError(
            f"{text} is the address of several users. Name one by its id:{choices}", returncode=2
        )
    return found[0] if found else None


def person(text: str, **conditions: Any) -> Any:
    """Return the user whom an id or an e-mail address names; see `find_person`.

    Raises:
        CommandError: There is none, or there are several.
    """
    if (found := find_person(text, **conditions)) is None:
        raise CommandError(f"There is no user {text}.")
    return found


def user_id(text: str, **conditions: Any) -> UUID:
    """Return the id of the user whom an id or an e-mail address names; see `person`."""
    found: UUID = person(text, **conditions).pk
    return found


def _home(user: Any) -> str:
    where = f"{user.subject} of {user.issuer}" if user.issuer else "of this service"
    return where if user.is_active else f"{where}, deactivated"
