"""Which notices were handled, and which erasures platforms asked for."""

from django.db import models
from django.utils import timezone


class HandledNotice(models.Model):
    """A notice that is not to be applied again. It is kept as long as its like is taken at all."""

    # The digest of the sender and of its name for the notice, or of the notice itself.
    digest = models.CharField(primary_key=True, max_length=64)
    sender = models.CharField(max_length=16)
    handled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["handled_at"], name="handled_notice_age")]

    def __str__(self) -> str:
        return f"{self.sender} {self.digest[:12]}"


class DataDeletion(models.Model):
    """An erasure that a platform asked for in a person's name; its page shows the state.

    It holds nothing by which the person could be found again.
    """

    confirmation_code = models.CharField(primary_key=True, max_length=32)
    # A request that is repeated gets the same code.
    notice_digest = models.CharField(max_length=64, unique=True)
    connections = models.PositiveIntegerField(default=0)
    erased_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.confirmation_code
