"""The links by which people come to their page, and the e-mails that call them there."""

from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q

from connections_project.core.ids import uuid7
from connections_project.core.jobs.models import LeasedJob
from connections_project.identity.models import ACT_FOR_USERS


class ConnectSession(models.Model):
    """A link to one person's page, good for one browser and a while.

    Of the link's token and of the browser's cookie only hashes are stored: both are random and
    can't be guessed from these.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="connect_sessions",
        db_index=False,
    )
    # Who asked for it: it ends with them. Null in those of an earlier release.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        db_index=False,
    )
    token_sha256 = models.CharField(max_length=64, unique=True)
    # The one browser that has opened it; null until then.
    browser_sha256 = models.CharField(max_length=64, null=True)
    # Slugs of what is offered; empty for all.
    platforms = models.JSONField(default=list)
    return_url = models.CharField(max_length=2048, default="")
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        permissions = [(ACT_FOR_USERS, "Can open connect sessions for people")]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["browser_sha256", "-opened_at"],
                name="connect_session_browser",
                condition=Q(browser_sha256__isnull=False),
            ),
            models.Index(fields=["expires_at"], name="connect_session_end"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def return_origin(self) -> str:
        parts = urlsplit(self.return_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def is_good(self, *, now: datetime) -> bool:
        """Whether it still speaks for its person; it ends with that person or its maker."""
        is_living = now < self.expires_at and self.user.is_good_since(self.created_at)
        return is_living and (
            self.made_by is None
            or self.made_by.still_opens_page_of(self.user_id, since=self.created_at)
        )


class AttentionEmail(LeasedJob):
    """An e-mail to somebody whose connection has come to need them; gone once it is sent.

    It is about one transition: `reason` and `since` are the connection's at that time.
    """

    FIRST_RETRY_SECONDS: ClassVar[float] = 60

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    app = models.CharField(max_length=64)
    connection_id = models.UUIDField()
    reason = models.CharField(max_length=16)
    since = models.DateTimeField()
    # Set while it is handed to the mail server: whoever finds it so doesn't know whether it went.
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at", "id"], name="attention_email_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection_id", "since", "user"], name="attention_email_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
