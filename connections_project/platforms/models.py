"""The kill switch: platforms that an operator has suspended."""

from django.db import models


class Suspension(models.Model):
    """A platform that is not connected to, refreshed, synced or published to for now.

    It stands in the database, and is read at each use, so that it binds every process at once.
    """

    slug = models.CharField(primary_key=True, max_length=64)
    reason = models.CharField(max_length=512)
    suspended_at = models.DateTimeField()
    suspended_by = models.UUIDField(null=True)

    class Meta:
        # The admin shows all platforms on the page of this model.
        verbose_name_plural = "platforms"

    def __str__(self) -> str:
        return self.slug
