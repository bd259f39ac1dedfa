"""Teams' API keys."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.identity.models.teams import Team
from connections_project.identity.models.users import PrincipalType, User
from connections_project.identity.prefixed_tokens import PrefixedToken


class Scope(models.TextChoices):
    """What an API key may do; members of the team hold all of them."""

    READ = "social:read"
    WRITE = "social:write"
    PUBLISH = "social:publish"


class ApiKey(PrefixedToken):
    """A team's own credential, for programs that act for the team and for nobody in it.

    It outlives whoever made it, since the team relies on it.
    """

    # As DRF asks a principal, and as the audit log calls it: its id stands there as the actor's.
    is_authenticated = True
    principal_type = PrincipalType.SERVICE

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, default="", blank=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="created_api_keys"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.prefix

    def is_good(self, *, now: datetime) -> bool:
        """Whether it is neither revoked nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
