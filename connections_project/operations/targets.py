"""The apps whose connections can be ended by force."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Q, QuerySet

from channels.disconnect import active_schedules
from channels.disconnect import disconnect as disconnect_channels
from channels.models import ChannelConnection
from channels.models import Status as ChannelStatus
from connections_project.connections.disconnect import DisconnectRequest, DisconnectResult
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from providers.disconnect import disconnect as disconnect_providers
from providers.models import Connection
from providers.models import Status as ProviderStatus
from social.disconnect import disconnect as disconnect_social
from social.models import SocialAccount, left_to_end
from social.models import Status as SocialStatus

Rows: TypeAlias = "QuerySet[Any]"
Selection: TypeAlias = "Rows | Iterable[UUID]"


@dataclass(frozen=True)
class Target:
    """What a forced disconnect has to know of an app.

    Args:
        model: Its connections.
        permission: What an operator needs, of the model's own permissions.
        statuses: What a connection may be.
        left: Finds those on which something is left to be done; the flag is `erase_tokens`.
        disconnect: Disconnects locked rows in the caller's transaction.
        active_schedules: Counts what is still to be published through connections.
    """

    model: type[OAuthConnection]
    permission: str
    statuses: Sequence[str]
    left: Callable[[bool], Q]
    disconnect: Callable[[Sequence[Any], DisconnectRequest], DisconnectResult]
    active_schedules: Callable[[Rows], int] = lambda _: 0

    def selected(self, selection: Selection, *, erase_tokens: bool = False) -> Rows:
        """Return those of a selection on which something is left to be done."""
        rows = (
            selection
            if isinstance(selection, QuerySet)
            else self.model._default_manager.filter(pk__in=list(selection))
        )
        return rows.filter(self.left(erase_tokens)).order_by()


TARGETS = {
    "providers": Target(
        model=Connection,
        permission="providers.force_disconnect_connection",
        statuses=ProviderStatus.values,
        left=lambda _: ~Q(status=ProviderStatus.DISCONNECTED),
        disconnect=disconnect_providers,
    ),
    "channels": Target(
        model=ChannelConnection,
        permission="channels.force_disconnect_channelconnection",
        statuses=ChannelStatus.values,
        left=lambda _: ~Q(status=ChannelStatus.DISCONNECTED),
        disconnect=disconnect_channels,
        active_schedules=active_schedules,
    ),
    "social": Target(
        model=SocialAccount,
        permission="social.force_disconnect_socialaccount",
        statuses=SocialStatus.values,
        left=lambda erase: left_to_end(kept_tokens=erase),
        disconnect=disconnect_social,
    ),
}


def may_force_disconnect(user: User | None, app: str) -> bool:
    """Whether a user may end an app's connections by force: active staff who are permitted."""
    return (
        user is not None
        and user.is_active
        and user.is_staff
        and user.has_perm(TARGETS[app].permission)
    )
