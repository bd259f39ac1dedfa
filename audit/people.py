"""People in the audit log, which knows their ids alone."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from connections_project.core.parsing import parse_uuid


def ids_of(text: str) -> list[UUID]:
    """Return the ids that a text names: its own, or those of the people with an e-mail address.

    Raises:
        ValueError: It is neither an id nor an address.
    """
    found = parse_uuid(text)
    if found is not None:
        return [found]
    if "@" not in text:
        raise ValueError("neither an id nor an e-mail address")
    return list(people_named(text).values_list("pk", flat=True))


def people_named(text: str) -> QuerySet[Any]:
    """Find whom an id, or an e-mail address here or at an issuer, names: of an address perhaps
    several."""
    found, address = parse_uuid(text), text.strip().lower()
    by_address = Q(email=address) | Q(issuer__isnull=False, issuer_email=address)
    which = Q(pk=found) if found else by_address
    return get_user_model()._default_manager.filter(which).order_by("pk")


# So many people are found by what their addresses begin with; who wants one of more goes on typing.
MOST_PEOPLE = 100


def people_beginning(text: str) -> QuerySet[Any]:
    """Find the first people, here or at an issuer, whose e-mail addresses begin so."""
    address = text.strip().lower()
    begins = Q(email__begins_with=address) | Q(issuer_email__begins_with=address)
    return get_user_model()._default_manager.filter(begins).order_by("pk")[:MOST_PEOPLE]


def names_of(ids: set[UUID]) -> dict[UUID, str]:
    """Return what people are called, of those ids that are people's."""
    people = get_user_model()._default_manager.filter(pk__in=ids)
    return {one.pk: str(one) for one in people.only("email", "issuer_email", "subject")}
