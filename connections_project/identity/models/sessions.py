"""Sign-ins, by their refresh tokens."""

from django.db import models
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.identity.models.users import User


class SessionFamily(models.Model):
    """The refresh tokens that descend from one sign-in, of which only the youngest is good.

    RFC 9700, section 4.14.2: a used token that comes back shows that two parties hold it, and
    which of them is the thief is unknown, so the whole family is revoked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="session_families")
    current_jti = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "session families"
        indexes = [models.Index(fields=["expires_at"], name="identity_session_end")]

    def __str__(self) -> str:
        return str(self.id)
