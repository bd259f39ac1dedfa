"""Who it was, for operators who read ids."""

from collections.abc import Iterable
from uuid import UUID

from connections_project.identity.models import ApiKey, User


def names_of(actor_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Name people by their e-mail address, and keys by their prefix; who is gone has no name."""
    wanted = {each for each in actor_ids if each}
    if not wanted:
        return {}
    people = User.objects.filter(pk__in=wanted).values_list("pk", "email")
    keys = ApiKey.objects.filter(pk__in=wanted).values_list("pk", "prefix")
    return dict(people) | dict(keys)
