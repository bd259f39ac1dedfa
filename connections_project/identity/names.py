"""Who it was, for operators who read ids."""

from collections.abc import Iterable
from uuid import UUID

from connections_project.identity.models import ApiKey, User


def names_of(actor_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Name people by their e-mail address or subject, and keys by their prefix; who is gone has no
    name."""
    wanted = {each for each in actor_ids if each}
    if not wanted:
        return {}
    people = User.objects.filter(pk__in=wanted).only("email", "issuer_email", "subject")
    keys = ApiKey.objects.filter(pk__in=wanted).values_list("pk", "prefix")
    return {one.pk: one.shown_name for one in people} | dict(keys)
