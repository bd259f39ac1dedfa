"""Teams, and who belongs to them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.identity.models.users import User


class Team(models.Model):
    """People who share social accounts. The one with an `owner` is that principal's own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Operators look teams up by it, or by what it begins with.
    name = models.CharField(max_length=254, db_index=True)
    owner = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="own_team"
    )
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        # The few among everybody's own.
        indexes = [
            models.Index(fields=["-id"], name="identity_shared", condition=Q(owner__isnull=True))
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """That a principal belongs to a team."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    # The index of this key alone is the constraint's below.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="identity_member_once", fields=["user", "team"])
        ]

    def __str__(self) -> str:
        return str(self.id)
