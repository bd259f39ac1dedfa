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


class CountedChange(models.Model):
    """By how much the number of rows with a status has changed; the database writes these itself.

    No row stands for one thing: the sum over all of them is what counts (`metrics/counters.py`).
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=64)
    # The values of the columns that tell rows apart, between blanks.
    status = models.CharField(max_length=128)
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.number:+} {self.status} {self.name}"
