"""Arguments of the commands."""

from argparse import ArgumentTypeError
from uuid import UUID

from connections_project.core.parsing import parse_uuid


def team_id(text: str) -> UUID:
    """Read a team's id; raises ArgumentTypeError for anything else."""
    return _id(text, "must be a team's id, such as create_team prints")


def principal_id(text: str) -> UUID:
    """Read a principal's id; raises ArgumentTypeError for anything else."""
    return _id(text, "must be a principal's id, such as create_user prints")


def _id(text: str, expected: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise ArgumentTypeError(expected)
    return found
