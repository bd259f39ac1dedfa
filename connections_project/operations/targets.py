"""The apps whose connections can be ended by force."""

from collections.abc import Iterable
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import QuerySet

from connections_project.identity.models import User

Selection: TypeAlias = "QuerySet[Any] | Iterable[UUID]"

PERMISSIONS = {
    "providers": "providers.force_disconnect_connection",
    "channels": "channels.force_disconnect_channelconnection",
    "social": "social.force_disconnect_socialaccount",
}


def may_force_disconnect(user: User | None, app: str) -> bool:
    """Say whether a user may end an app's connections by force: active staff who are permitted."""
    return user is not None and user.is_active and user.is_staff and user.has_perm(PERMISSIONS[app])
