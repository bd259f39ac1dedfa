"""The metrics that all processes and hosts share."""

from django.db import models


class TableMetrics(models.Model):
    """What was last counted over whole tables. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # When a process last began to count, and when a count was last finished.
    claimed_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)
    metrics = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"counted at {self.counted_at}"
