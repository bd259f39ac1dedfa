"""The second factor of operators."""

from django.db import models

from connections_project.core.ids import uuid7
from connections_project.identity.models.users import User
from connections_project.identity.totp import SealedTOTPDevice


class Authenticator(SealedTOTPDevice):
    """An operator's TOTP device."""

    # One device a person; losing it is what `reset_totp` is for.
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")

    class Meta:
        constraints = [models.UniqueConstraint(name="identity_one_authenticator", fields=["user"])]

    @property
    def vault_subject(self) -> str:
        return f"authenticator:{self.user_id}"


class RecoveryCode(models.Model):
    """A code that stands in for an authenticator that is lost; it is gone with its use.

    Of 80 random bits the plain hash is enough.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    authenticator = models.ForeignKey(
        Authenticator, on_delete=models.CASCADE, related_name="recovery_codes", db_index=False
    )
    code_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="identity_recovery_code_once", fields=["authenticator", "code_sha256"]
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
