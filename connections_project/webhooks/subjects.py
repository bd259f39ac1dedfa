"""Of whom a notice speaks, and which connections are that person's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Q

from connections_project.api.parsers import UNSTORABLE
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import connection_types
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import upstream


@dataclass(frozen=True)
class Sender:
    """A platform that reports grants that are over, and the client that we are to it.

    Args:
        key: What its notices are verified by: a key of their own, else our client's secret.
    """

    slug: str
    client_id: str
    key: str = field(repr=False)
    configuration: str = ""


@dataclass(frozen=True)
class Subject:
    """A person at a platform, or one token of theirs; with neither it is nobody.

    Args:
        slugs: The platforms that the notice can speak of.
        client_ids: Our clients there: another client's grants are not this one's.
        names: Columns of a connection, of which each alone names it.
    """

    slugs: frozenset[str]
    client_ids: frozenset[str]
    names: dict[str, str]

    def connections(self) -> Iterator[models.QuerySet[OAuthConnection]]:
        """Return the rows that it speaks of, a model at a time, each in the order of locking."""
        if self.names and not any(UNSTORABLE.search(name) for name in self.names.values()):
            named = Q(*self.names.items(), _connector=Q.OR)
            for model in (one.model for one in connection_types()):
                where = Q(**{f"{model.platform_column}__in": self.slugs})
                rows = model._default_manager.filter(where, named, client_id__in=self.client_ids)
                yield rows.order_by("pk")


def senders(kind: str) -> list[Sender]:
    """List the platforms that send notices in one way and have a client of ours."""
    return [
        Sender(
            platform.slug,
            found.registration.client_id,
            found.registration.webhook_key or found.registration.client_secret,
            platform.risc_configuration_endpoint,
        )
        for platform in catalog().all()
        if platform.deauthorization == kind
        and (found := upstream(platform.slug)) is not None
        and (found.registration.webhook_key or found.registration.client_secret)
    ]


def of_senders(notifiers: Iterable[Sender], **names: str | None) -> Subject:
    """Describe whom these senders speak of, by the columns that name a connection."""
    notifiers = list(notifiers)
    return Subject(
        frozenset(one.slug for one in notifiers),
        frozenset(one.client_id for one in notifiers),
        {column: name for column, name in names.items() if name},
    )
