"""Which people a directory asks for (RFC 7644, section 3.4.2)."""

from typing import Any

from django.db.models import QuerySet
from scim2_models import InvalidFilterException
from scim2_models.path import CompareOperator, Comparison

from connections_project.api.parsers import UNSTORABLE
from connections_project.core.parsing import parse_uuid
from connections_project.identity.models import User
from connections_project.scim.resources import user_name_key
from connections_project.scim.schemas import LARGEST_PAGE
from connections_project.scim.users import people

# An offset beyond it would be an error of the database.
LARGEST_INDEX = 2**31


def page_of(issuer: str, wanted: Any) -> tuple[list[User], int]:
    """Return the page that is asked for, and how many there are in all.

    Args:
        wanted: A SearchRequest.

    Raises:
        InvalidFilterException: The filter is another than `userName|externalId|id eq "…"`, or its
            text one that no database takes.
    """
    rows = people(issuer) if wanted.filter is None else _filtered(issuer, wanted.filter.ast)
    start = min(wanted.start_index_0 or 0, LARGEST_INDEX)
    count = LARGEST_PAGE if wanted.count is None else min(wanted.count, LARGEST_PAGE)
    total = rows.count()
    return list(rows[start : start + count]) if count and start < total else [], total


def _filtered(issuer: str, node: Any) -> "QuerySet[User]":
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq:
        raise InvalidFilterException
    finder = _FINDERS.get(str(node.attr_path.attr).casefold())
    if finder is None or node.attr_path.sub_attr or not isinstance(node.value, str):
        raise InvalidFilterException
    # A filter's text is JSON's (RFC 7644, section 3.4.2.2), whose escapes the query doesn't show.
    if UNSTORABLE.search(node.value):
        raise InvalidFilterException
    return finder(issuer, node.value)


def _by_id(issuer: str, value: str) -> "QuerySet[User]":
    known = parse_uuid(value)
    return people(issuer).filter(pk=known) if known else User.objects.none()


def _by_user_name(issuer: str, value: str) -> "QuerySet[User]":
    key = user_name_key(value)
    named = people(issuer).filter(scim_profile__issuer=issuer, scim_profile__user_name_key=key)
    return named if named.exists() else people(issuer).filter(scim_profile=None, subject=value)


def _by_external_id(issuer: str, value: str) -> "QuerySet[User]":
    # Whoever has a profile without an externalId bears its userName as the subject.
    return (
        people(issuer)
        .filter(subject=value)
        .exclude(scim_profile__isnull=False, scim_profile__external_id=None)
    )


_FINDERS = {"username": _by_user_name, "externalid": _by_external_id, "id": _by_id}
