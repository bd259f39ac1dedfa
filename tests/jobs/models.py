"""A delivery: in strict order for each connection, and of no endpoint too many at a time."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q

from connections_project.core.jobs.claim import claim_rows
from connections_project.core.jobs.lease import leased
from connections_project.core.jobs.models import LeasedJob


class Delivery(LeasedJob):
    FIRST_RETRY_SECONDS: ClassVar[float] = 5
    MAX_ATTEMPTS: ClassVar[int] = 3

    endpoint = models.CharField(max_length=32, default="one")
    connection = models.CharField(max_length=32)
    failed = models.BooleanField(default=False)

    class Meta:
        app_label = "jobs"
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], name="delivery_due", condition=Q(failed=False))
        ]

    def __str__(self) -> str:
        return self.connection

    @classmethod
    def pending(cls) -> models.QuerySet[Self]:
        return super().pending().filter(failed=False)

    @classmethod
    def claimable(cls, due_by: datetime) -> models.QuerySet[Self]:
        earlier = cls.pending().filter(connection=OuterRef("connection"), pk__lt=OuterRef("pk"))
        return super().claimable(due_by).filter(~Exists(earlier))

    def give_up(self, error: Exception | None) -> None:
        self.give_back(failed=True)


class Limit(models.Model):
    """How many deliveries an endpoint takes at a time; its lock is that of their claims."""

    endpoint = models.CharField(primary_key=True, max_length=32)
    at_once = models.PositiveIntegerField()

    class Meta:
        app_label = "jobs"

    def __str__(self) -> str:
        return self.endpoint


class LimitedDelivery(Delivery):
    """The same rows, claimed under the limit of each endpoint."""

    class Meta:
        app_label = "jobs"
        proxy = True

    @classmethod
    def claim(cls, limit: int, *, due_by: datetime) -> list[Self]:
        chosen: list[Self] = []
        with transaction.atomic():
            for each in Limit.objects.select_for_update().order_by("endpoint"):
                of_endpoint = cls.pending().filter(endpoint=each.endpoint)
                capacity = each.at_once - of_endpoint.filter(leased()).count()
                rows = cls.claimable(due_by).filter(endpoint=each.endpoint)
                chosen += claim_rows(rows, min(capacity, limit - len(chosen)))
        return chosen
