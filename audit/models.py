"""The audit log's table, and the two of its seals."""

from datetime import UTC, datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from audit.events import ActorType, Interface, Outcome
from connections_project.core.ids import uuid7

# PostgreSQL has times that Python can't hold: infinity, and years from 10000 on.
PLAUSIBLE_TIME = models.Q(
    occurred_at__gte=datetime(1970, 1, 1, tzinfo=UTC),
    occurred_at__lt=datetime(9999, 1, 1, tzinfo=UTC),
)


def _one_of(name: str, words: type[ActorType | Interface | Outcome]) -> models.CheckConstraint:
    condition = models.Q(**{f"{name}__in": [word.value for word in words]})
    return models.CheckConstraint(condition=condition, name=f"audit_known_{name}")


class AuditEvent(models.Model):
    """One thing that was done. Rows are only ever added (`audit.record`, `audit.triggers`).

    No foreign keys: an event outlives its actor and its subject, and nothing cascades into it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    occurred_at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    actor_type = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    interface = models.CharField(max_length=16)
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True)
    subject_owner_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=512, blank=True)
    trace_id = models.CharField(max_length=64)
    client_address = models.GenericIPAddressField(null=True)
    details = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        constraints = [
            _one_of("outcome", Outcome),
            _one_of("actor_type", ActorType),
            _one_of("interface", Interface),
            models.CheckConstraint(condition=PLAUSIBLE_TIME, name="audit_plausible_time"),
        ]
        indexes = [
            models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
            models.Index(fields=["subject_owner_id", "id"], name="audit_by_owner"),
            models.Index(fields=["action", "occurred_at"], name="audit_by_action"),
            models.Index(fields=["occurred_at"], name="audit_by_time"),
            # Which few of very many somebody did, or came by one of the rarer ways.
            models.Index(
                fields=["actor_id", "-id"],
                name="audit_by_actor",
                condition=models.Q(actor_id__isnull=False),
            ),
            models.Index(fields=["interface", "-id"], name="audit_by_interface"),
            # Users read the trace id in an answer and report it to an operator.
            models.Index(fields=["trace_id"], name="audit_by_trace"),
            models.Index(
                fields=["-id"], name="audit_failures", condition=models.Q(outcome="failure")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"

    @property
    def is_readable(self) -> bool:
        """Whether this was more than a row that can't be read (`audit.readable.read`)."""
        return self.occurred_at is not None


class Seal(models.Model):
    """What vouches for up to a thousand events and, by its predecessor's digest, for all before.

    A seal is signed as a statement (`audit.statements`), and its digest is called its head. Rows
    are only ever added, here as in the log itself.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    # One for each log, drawn with its first seal, so that two logs are never taken for one.
    log = models.UUIDField()
    previous = models.CharField(max_length=64)
    root = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    sealed_at = models.DateTimeField()
    # Whatever happened before this time was in this seal or in an earlier one (`audit.horizon`).
    complete_until = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.CharField(max_length=88)
    head = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"seal {self.number}"


class Timestamp(models.Model):
    """An authority's word (RFC 3161) that a seal's head was there; rows are only ever added."""

    seal = models.OneToOneField(
        Seal, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False
    )
    # A TimeStampResp, as it was answered.
    response = models.BinaryField()

    def __str__(self) -> str:
        return f"timestamp of seal {self.seal_id}"


class SealedEvent(models.Model):
    """That an event stands in a seal, where, and with which digest.

    The database knows no foreign keys here: a row that is made to vanish must leave the others,
    by which it is identified.
    """

    event = models.OneToOneField(
        AuditEvent,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="sealed",
    )
    # The index of this key alone is the constraint's below.
    seal = models.ForeignKey(
        Seal, on_delete=models.PROTECT, related_name="members", db_constraint=False, db_index=False
    )
    position = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="audit_sealed_once", fields=["seal", "position"])
        ]

    def __str__(self) -> str:
        return f"{self.event_id} in seal {self.seal_id}"


class Archive(models.Model):
    """That the events of all seals up to one stand in archives outside, and no longer here.

    The seals themselves stay, so that the chain is whole. Signed as a statement, since whoever can
    remove events could say so of any; rows are only ever added.
    """

    last_seal = models.PositiveBigIntegerField(primary_key=True)
    first_seal = models.PositiveBigIntegerField()
    events = models.PositiveBigIntegerField()
    # Of the file, which is an export.
    sha256 = models.CharField(max_length=64)
    archived_at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.CharField(max_length=88)

    def __str__(self) -> str:
        return f"seals {self.first_seal} to {self.last_seal}"
