"""The tokens of directories, and what directories say of people."""

from typing import Any

from django.db import models
from django.utils import timezone

from connections_project.conf.issuers import LONGEST_ISSUER
from connections_project.core.ids import uuid7
from connections_project.identity.models import PrincipalType, User
from connections_project.identity.prefixed_tokens import PrefixedToken

LONGEST_NAME = 100
LONGEST_TEXT = 255


class ScimToken(PrefixedToken):
    """A directory's credential, good for the people of one issuer."""

    # As DRF asks a principal, and as the audit log calls it: its id stands there as the actor's.
    is_authenticated = True
    principal_type = PrincipalType.SERVICE

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=LONGEST_NAME)
    issuer = models.CharField(max_length=LONGEST_ISSUER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "SCIM token"
        constraints = [
            models.UniqueConstraint(
                name="scim_token_name_once",
                fields=["name"],
                condition=models.Q(revoked_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ScimProfile(models.Model):
    """What a directory says of a person beside who it is and whether it is active.

    It is gone as soon as the person is forgotten.
    """

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="scim_profile"
    )
    issuer = models.CharField(max_length=LONGEST_ISSUER)
    user_name = models.CharField(max_length=LONGEST_TEXT)
    # RFC 7643, section 4.1.1: userName is unique whatever its case.
    user_name_key = models.CharField(max_length=4 * LONGEST_TEXT)
    # None until the directory gives it: until then userName is the subject.
    external_id = models.CharField(max_length=LONGEST_TEXT, null=True)
    display_name = models.CharField(max_length=LONGEST_TEXT, default="")
    name: Any = models.JSONField(default=dict)
    emails: Any = models.JSONField(default=list)
    modified_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="scim_user_name_once", fields=["issuer", "user_name_key"])
        ]

    def __str__(self) -> str:
        return str(self.pk)


def forget_profile(user: User) -> None:
    """Erase what the directory has said of somebody who is forgotten."""
    ScimProfile.objects.filter(pk=user.pk).delete()
