"""The audit log's one table."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from audit.events import ActorType, Interface, Outcome
from connections_project.identifiers import uuid7


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
        ]
        indexes = [
            models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
            models.Index(fields=["subject_owner_id", "id"], name="audit_by_owner"),
            models.Index(fields=["action", "occurred_at"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"
