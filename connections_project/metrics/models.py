"""Where the figures stand that all processes and hosts share."""

from django.db import models


class TableFigures(models.Model):
    """What was last counted over whole tables. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # When somebody last took it upon himself to count, and when a count was last finished.
    claimed_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"counted at {self.counted_at}"
