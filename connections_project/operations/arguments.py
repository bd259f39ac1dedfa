"""The arguments of every `disconnect_*` command of a connection type."""

import argparse
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from audit.arguments import find_person
from connections_project.connections.registry import connection_type, connection_types
from connections_project.core.commands.arguments import date_or_time
from connections_project.core.commands.base import given_reason
from connections_project.core.parsing import parse_uuid
from connections_project.identity.models import User
from connections_project.operations.force import BATCH
from connections_project.operations.options import DisconnectOptions

LARGEST_BATCH = 10_000


def add_selectors(parser: CommandParser, *, platform: str, statuses: list[str], own: str) -> None:
    """Add what selects connections.

    Args:
        platform: What this app calls a platform.
        own: What belongs to a user.
    """
    group = parser.add_argument_group("which", "at least one; of several, all must hold")
    group.add_argument("ids", metavar="ID", nargs="*", type=_id, help="this one, and those")
    group.add_argument("--user", metavar="EMAIL|ID", help=own)
    group.add_argument(f"--{platform}", metavar="SLUG", dest="platform", help="of this platform")
    group.add_argument("--status", choices=statuses, help="in this status")
    group.add_argument(
        "--connected-before",
        metavar="DATE",
        type=date_or_time,
        help="connected before this day or time (2026-01-31, 2026-01-31T10:00:00Z), in UTC",
    )
    group.add_argument("--all", action="store_true", dest="everything", help="all there are")


def add_options(parser: CommandParser) -> None:
    """Add how connections are ended: the same for all types, so that one script serves them all."""
    _add_general_options(parser)
    parser.add_argument(
        "--no-revoke", action="store_true", help="don't revoke the tokens at the platforms"
    )
    parser.add_argument(
        "--cancel-schedules",
        action="store_true",
        help="channels: cancel what is scheduled; a channel with schedules is left alone otherwise",
    )
    parser.add_argument(
        "--erase-tokens",
        action="store_true",
        help="social accounts: revoke and erase the tokens, also those that an earlier disconnect "
        "kept; otherwise they are kept, unused, and nothing is revoked",
    )


def _add_general_options(parser: CommandParser) -> None:
    parser.add_argument(
        "--reason", required=True, help="why, 1 to 512 characters, for the audit log"
    )
    parser.add_argument(
        "--operator", metavar="EMAIL|ID", help="who says so: staff with the permission"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what it would touch, and change nothing"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument(
        "--batch-size",
        metavar="N",
        type=_batch_size,
        default=BATCH,
        help=f"connections in one transaction, {BATCH} unless given",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _id(given: str) -> UUID:
    found = parse_uuid(given)
    if found is None:
        raise argparse.ArgumentTypeError(f"{given!r} is not an id (UUID)")
    return found


def _batch_size(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= LARGEST_BATCH:
        raise argparse.ArgumentTypeError(f"give 1 to {LARGEST_BATCH}")
    return int(given)


def options_of(given: dict[str, object]) -> DisconnectOptions:
    """Read how they are to be ended.

    Raises:
        CommandError: The reason is none (exit code 2).
    """
    return DisconnectOptions(
        reason=given_reason(str(given["reason"])),
        revoke=not given["no_revoke"],
        cancel_schedules=bool(given["cancel_schedules"]),
        erase_tokens=bool(given["erase_tokens"]),
    )


def operator_with_all(email: str) -> User:
    """Return the operator who says so, who must be permitted to end connections of all apps.

    Raises:
        CommandError: See `operator_with`.
    """
    *_, operator = [operator_with(email, one.app) for one in connection_types()]
    return operator


def operator_with(email: str, app: str) -> User:
    """Return the operator who says to do it.

    Raises:
        CommandError: Nobody's address or id, or not that of active staff with the permission, or
            the address of several of them (exit code 2).
    """
    user: User | None = find_person(email, is_staff=True)
    if user is None or not connection_type(app).may_force_disconnect(user):
        raise CommandError(
            f"{email} is not an active operator with the permission to disconnect by force.",
            returncode=2,
        )
    return user
