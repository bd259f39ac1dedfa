"""Which connections an operator means: ids and conditions, all of which must hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connections_project.connections.registry import Rows, connection_type
from connections_project.identity.models import User

_ASKED_AT_ONCE = 5000


@dataclass(frozen=True)
class Selectors:
    """What a connection must be like. One that is left out excludes nothing.

    Args:
        ids: It is one of these.
        user: It is the user's own; a social account, of the user's own team.
        platform: Its platform has this slug.
        status: It has this status.
        connected_before: It was connected, and that before this time.
        everything: All are meant that the others leave.
    """

    ids: Sequence[UUID] = ()
    user: User | None = None
    platform: str | None = None
    status: str | None = None
    connected_before: datetime | None = None
    everything: bool = False

    @property
    def are_given(self) -> bool:
        """Whether anything was selected: nobody shall end all connections by a slip."""
        conditions = (self.user, self.platform, self.status, self.connected_before)
        return self.everything or bool(self.ids) or any(one is not None for one in conditions)

    def rows(self, app: str) -> Rows:
        """Return the connections that are meant, also those that are over."""
        target = connection_type(app)
        model = target.model
        owner = self.user.own_team if self.user and target.belongs_to_teams else self.user
        conditions = {
            "pk__in": self.ids or None,
            model.owner_column: owner.pk if owner else None,
            model.platform_column: self.platform,
            "status": self.status,
            "connected_at__lt": self.connected_before,
        }
        given = {column: value for column, value in conditions.items() if value is not None}
        return model._default_manager.filter(**given)

    def unknown_ids(self, app: str) -> list[UUID]:
        """Name those of the ids that no connection has or ever had."""
        rows = connection_type(app).model._default_manager
        known: set[UUID] = set()
        for start in range(0, len(self.ids), _ASKED_AT_ONCE):
            some = self.ids[start : start + _ASKED_AT_ONCE]
            known.update(rows.filter(pk__in=some).values_list("pk", flat=True))
        return [one for one in self.ids if one not in known]
