"""Pending revocations, and who shares which grant."""

from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.jobs.circuit import CircuitBreaker, left_alone
from connections_project.core.jobs.claim import lease_jobs, locked_rows
from connections_project.core.jobs.keys import keys_of
from connections_project.core.jobs.lease import leased
from connections_project.core.jobs.models import LeasedJob
from connections_project.core.vault import SealedField
from connections_project.platforms.models import Suspension
from connections_project.revocation.waits import next_try


class GrantHold(models.Model):
    """One live connection's hold on a grant, in any app and of any team.

    A grant is what one user of a platform gave to one of our clients there. Where revoking one
    token ends the whole grant, only the last holder may revoke (docs/api.md, "Revocation").
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection_id = models.UUIDField(unique=True)
    app = models.CharField(max_length=32)
    authority = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255)
    platform_user_id = models.CharField(max_length=255)

    class Meta:
        indexes = [
            models.Index(
                fields=["client_id", "authority", "platform_user_id"], name="grant_hold_by_grant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.connection_id}"


class JobState(models.TextChoices):
    PENDING = "pending"
    REVOKED = "revoked"
    ABANDONED = "abandoned"
    # A sibling came alive on the same grant before the platform was reached.
    SHARED_GRANT = "shared_grant"


class Verification(models.TextChoices):
    """What a look at the tokens has shown, once the platform had accepted their revocation."""

    VERIFIED_DEAD = "verified_dead"
    STILL_ALIVE = "still_alive"
    UNVERIFIABLE = "unverifiable"


class RevocationJob(LeasedJob):
    """A token that is still to be revoked at the platform.

    The sealed token is the connection's own ciphertext, moved here unopened. It is gone as soon as
    the job is no longer pending, which the database itself enforces.
    """

    app = models.CharField(max_length=32)
    platform = models.CharField(max_length=64)
    connection_id = models.UUIDField()
    owner_id = models.UUIDField()
    authority = models.CharField(max_length=255, default="")
    client_id = models.CharField(max_length=255, default="")
    platform_user_id = models.CharField(max_length=255, null=True)
    sealed_tokens = SealedField(null=True)
    # Whether its tokens are not to be sent, only what came beside them (`TokenSet.extras`).
    extras_only = models.BooleanField(default=False, db_default=False)
    # Whether its tokens were replaced, or came late, and never were what the connection ended with:
    # what becomes of them proves nothing of those.
    replaced_or_late = models.BooleanField(default=False, db_default=False)
    # Which of the tokens the platform has taken back already, by their names, between blanks.
    accepted_tokens = models.CharField(max_length=64, default="", db_default="")
    # When the access token ends by its time; None where it doesn't, or that isn't known.
    token_expires_at = models.DateTimeField(null=True)
    # Of `Verification`, by the last look; empty before there was one.
    verification = models.CharField(max_length=16, default="", db_default="")
    state = models.CharField(max_length=16, default=JobState.PENDING)
    last_error = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    trace_id = models.CharField(max_length=32, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["platform", "due_at", "id"],
                name="revocation_due_at_platform",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["created_at"], name="revocation_by_age", condition=Q(state="pending")
            ),
            models.Index(
                fields=["platform"],
                name="revocation_in_flight",
                condition=Q(leased_until__isnull=False),
            ),
            models.Index(fields=["connection_id"], name="revocation_by_connection"),
            # The admin's list of one platform.
            models.Index(fields=["platform", "-id"], name="revocation_by_platform"),
            models.Index(
                fields=["finished_at"],
                name="revocation_by_end",
                condition=Q(finished_at__isnull=False),
            ),
            models.Index(
                fields=["platform", "state"],
                name="revocation_still_alive",
                condition=Q(verification="still_alive"),
            ),
            # The admin's list of one state, or of what was verified: few of very many.
            models.Index(
                fields=["state", "-id"], name="revocation_by_state", condition=~Q(state="revoked")
            ),
            models.Index(
                fields=["verification", "-id"],
                name="revocation_verified",
                condition=~Q(verification=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="revocation_state_known", condition=Q(state__in=JobState.values)
            ),
            models.CheckConstraint(
                name="revocation_tokens_only_while_pending",
                condition=Q(state="pending", sealed_tokens__isnull=False, finished_at__isnull=True)
                | (~Q(state="pending") & Q(sealed_tokens__isnull=True, finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.state} {self.id}"

    @property
    def is_tried(self) -> bool:
        """Whether somebody tries it just now."""
        return self.leased_until is not None and self.leased_until > clock.now()

    @classmethod
    def lease_seconds(cls) -> float:
        return settings.REVOCATION_LEASE_SECONDS

    @classmethod
    def pending(cls) -> models.QuerySet[Self]:
        return super().pending().filter(state=JobState.PENDING)


class OpenQuestion(LeasedJob):
    """Whether a revocation that ends grants has ended a connection's, which came beside it.

    It stands from before the platform is asked until that has answered; by then the revocation is
    over, whose job and receipt say nothing of it.
    """

    MAX_ATTEMPTS = 1_000_000  # `waits.end_of_life` is its end.
    # A platform that hangs leaves one of a worker's threads to others.
    MOST_OF_A_PLATFORM = 3

    app = models.CharField(max_length=32)
    platform = models.CharField(max_length=64, default="", db_default="")
    connection_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["platform", "due_at", "id"], name="revocation_question_due"),
            models.Index(
                fields=["platform"],
                name="revocation_question_asked",
                condition=Q(leased_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.connection_id}"

    @classmethod
    def claimable(cls, due_by: datetime) -> models.QuerySet[Self]:
        """Return what may be claimed: nothing of a platform that is suspended, or is down."""
        down = CallCircuit.objects.filter(left_alone(clock.now())).values("platform")
        rows = super().claimable(due_by).exclude(platform__in=down)
        return rows.exclude(platform__in=Suspension.objects.values("slug"))

    @classmethod
    def claim(cls, limit: int, *, due_by: datetime) -> list[Self]:
        """Claim the next ones, of each platform no more than its share."""
        with transaction.atomic():
            shares = [cls._share(one, due_by) for one in keys_of(cls.pending(), "platform")]
            return lease_jobs(sorted(chain(*shares), key=attrgetter("due_at"))[:limit])

    @classmethod
    def _share(cls, platform: str, due_by: datetime) -> list[Self]:
        asked = cls.pending().filter(leased(), platform=platform).count()
        rows = cls.claimable(due_by).filter(platform=platform)
        return locked_rows(rows, cls.MOST_OF_A_PLATFORM - asked)

    def retry(self, error: Exception) -> None:
        # A refresh that failed has what the platform said as its cause.
        said = (getattr(one, "retry_after", None) for one in (error, error.__cause__))
        due_at = next_try(self, retry_after=next(filter(None, said), None))
        # No circuit breaker keeps it from being asked again and again.
        self.give_back(due_at=max(due_at, clock.now() + timedelta(seconds=1)))


class PlatformCircuit(CircuitBreaker):
    """How a platform is doing."""

    platform = models.CharField(primary_key=True, max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.platform


class Circuit(PlatformCircuit):
    """How a platform's revocation endpoint is doing.

    Its row is also the lock under which a platform's jobs are claimed, so that all workers together
    keep to the limit of what one platform is asked at a time.
    """


class ProbeCircuit(PlatformCircuit):
    """How a platform answers when revoked tokens are probed.

    Nothing but probes is kept from it: whoever introspects tokens badly may serve users well.
    """


class WorkerSlots(models.Model):
    """How many calls at a time one worker makes to a platform, out of what all workers may."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Its slug, or what else has a lane of its own, such as `posts:` and a slug.
    platform = models.CharField(max_length=80)
    worker = models.UUIDField()
    slots = models.PositiveIntegerField()
    # How many it could use; workers that want more than there are share them evenly.
    wanted = models.PositiveIntegerField()
    # A lost worker's slots are free when this has run out.
    leased_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "worker"], name="revocation_slots_of_a_worker"
            )
        ]

    def __str__(self) -> str:
        return f"{self.slots} at {self.platform}"


class CallCircuit(PlatformCircuit):
    """How a platform answers what requests ask of it: exchanges, refreshes, syncs, posts.

    It is not the revocations' one: a platform whose revocation endpoint fails on one token is not
    down, and its users go on.
    """


class PostCircuit(PlatformCircuit):
    """How a platform takes scheduled posts.

    Requests are not kept from it: where posts hang people may still connect. Its row is also the
    lock under which a platform's posts are claimed, so that all workers together make one probe.
    """
