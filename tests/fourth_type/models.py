"""Calendars: a connection type that no other file of the service names."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from connections_project.connections.models import OAuthConnection


class CalendarAction(StrEnum):
    """Audit actions that only this app knows."""

    CONNECTED = "calendar_connected"
    CONNECTION_FAILED = "calendar_connection_failed"
    REFRESH_FAILED = "calendar_refresh_failed"
    DISCONNECTED = "calendar_disconnected"


class Status(models.TextChoices):
    ACTIVE = "active"
    REVOKED = "revoked"
    DISCONNECTED = "disconnected"


class Calendar(OAuthConnection):
    """One user's calendar at one platform."""

    app = "fourth_type"
    platform_column = "platform"
    owner_column = "user_id"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    platform = models.CharField(max_length=64)
    status = models.CharField(max_length=16, default=Status.ACTIVE)
    color = models.CharField(max_length=16, default="green")

    objects: ClassVar[models.Manager["Calendar"]] = models.Manager()

    class Meta:
        permissions = [("force_disconnect_calendar", "Can end calendars by force")]

    def deauthorized_columns(self, _now: datetime, /) -> dict[str, Any]:
        return {"status": self.status if self.status == Status.DISCONNECTED else Status.REVOKED}
