"""Principals."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from connections_project.conf.issuers import LONGEST_ISSUER
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.identity.fields import NormalEmailField, normal_email
from connections_project.identity.managers import UserManager
from connections_project.identity.models.changed_fields import ChangedFieldsModel

# RFC 2606, section 2: no address there can ever be anybody's.
NOWHERE = "deleted.invalid"
# By it a service account opens people's pages, and loses all that it has opened with it.
ACT_FOR_USERS = "act_for_users"


class PrincipalType(models.TextChoices):
    """What a principal is, as its tokens and the audit log say it."""

    USER = "user"
    SERVICE = "service"


class User(ChangedFieldsModel, AbstractBaseUser, PermissionsMixin):
    """A principal: a person or a service, that comes in and owns connections.

    A local one signs in by `email`. One of an external issuer is known by (`issuer`, `subject`) and
    has no `email`: what the issuer calls its address finds and links nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = NormalEmailField("e-mail", max_length=254, unique=True, null=True, blank=True)
    issuer = models.CharField(max_length=LONGEST_ISSUER, null=True, blank=True, editable=False)
    subject = models.CharField(max_length=255, null=True, blank=True, editable=False)
    issuer_email = NormalEmailField(
        "e-mail at the issuer", max_length=254, null=True, blank=True, editable=False
    )
    principal_type = models.CharField(
        max_length=7, choices=PrincipalType.choices, default=PrincipalType.USER
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # When all tokens and sessions that there were ended at once, of whichever issuer.
    sessions_ended_at = models.DateTimeField(null=True, editable=False)
    # When it was last let in again, or was forgotten before it came back.
    returned_at = models.DateTimeField(null=True, editable=False)
    # Seconds by which its issuer's clock is ahead of ours, at least (clock_leads.py).
    clock_lead = models.FloatField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Django's: a new password in the clear, until it is saved.
    _password: str | None
    # That the password is taken away, until that is saved.
    _loses_password = False

    USERNAME_FIELD = EMAIL_FIELD = "email"

    objects = UserManager()

    class Meta:
        # The few whom the admin's filters pick out of very many.
        indexes = [
            models.Index(fields=["-id"], name="identity_staff", condition=Q(is_staff=True)),
            models.Index(fields=["-id"], name="identity_inactive", condition=Q(is_active=False)),
            models.Index(
                fields=["-id"], name="identity_services", condition=Q(principal_type="service")
            ),
            # How SCIM and security events name people of an issuer.
            models.Index(
                fields=["issuer", "issuer_email"],
                name="identity_issuer_email",
                condition=Q(issuer__isnull=False),
            ),
            # What operators know of such people.
            models.Index(
                fields=["issuer_email"],
                name="identity_email_prefix",
                opclasses=["varchar_pattern_ops"],
                condition=Q(issuer_email__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="identity_subject_once", fields=["issuer", "subject"]),
            models.CheckConstraint(
                name="identity_local_or_external",
                condition=Q(email__isnull=False, issuer=None, subject=None, issuer_email=None)
                | Q(email=None, issuer__isnull=False, subject__isnull=False),
            ),
            models.CheckConstraint(
                name="identity_email_is_lower_case", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(
                name="identity_principal_type_is_known",
                condition=Q(principal_type__in=PrincipalType.values),
            ),
            models.CheckConstraint(
                name="identity_service_is_never_staff",
                condition=~Q(principal_type=PrincipalType.SERVICE)
                | Q(is_staff=False, is_superuser=False),
            ),
        ]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what sessions and tokens must bear: a digest that a new password changes, and
        the end of all sessions too."""
        ended = self.sessions_ended_at.isoformat() if self.sessions_ended_at else ""
        return salted_hmac(
            "identity.User.session", f"{self.password} {ended}", secret=secret, algorithm="sha256"
        ).hexdigest()

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """What operators call it: its address, or the subject where no address is known."""
        return self.shown_email or self.subject or str(self.pk)

    @property
    def shown_email(self) -> str | None:
        """Its address, here or at its issuer."""
        address: str | None = self.email or self.issuer_email
        return address

    @property
    def anonymous_address(self) -> str:
        """What stands for its address once it is forgotten; nobody can ever have that one."""
        return f"{self.pk}@{NOWHERE}"

    @property
    def is_forgotten(self) -> bool:
        """Whether nothing but its id is left."""
        return str(self.email) == self.anonymous_address

    @property
    def own_teams(self) -> "models.QuerySet[Any]":
        """The teams it belongs to, the oldest first, which is its own."""
        return self.teams.order_by("created_at", "pk")

    def is_good_since(self, began: datetime) -> bool:
        """Whether it is active, and its sessions were not ended since something was begun."""
        return self.is_active and (self.sessions_ended_at is None or self.sessions_ended_at < began)

    def still_opens_page_of(self, person_id: UUID, *, since: datetime) -> bool:
        """Whether a link to a person's page that it made, or what began there, is good.

        Args:
            since: When the one or the other began.
        """
        is_own = self.pk == person_id
        return self.is_good_since(since) and (is_own or self.has_perm(f"pages.{ACT_FOR_USERS}"))

    def has_returned_since(self, second: datetime) -> bool:
        """Whether it has come back after all of a second, in which something is said to have been
        that ended it."""
        return self.returned_at is not None and self.returned_at >= second + timedelta(seconds=1)

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self._loses_password = raw_password is None

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._loses_password = True

    def _end_sessions(self) -> None:
        """Set the moment; the lock comes first, since until it has come the old ones are good."""
        User.objects.select_for_update(no_key=True).filter(pk=self.pk).first()
        self.sessions_ended_at = clock.now()

    def clean(self) -> None:
        super().clean()
        # A form compares constraints with what is typed, the database with what is stored.
        self.email = normal_email(self.email) if self.email else None
        # A form that shows the type without offering it would pass over the constraint.
        if self.principal_type == PrincipalType.SERVICE and (self.is_staff or self.is_superuser):
            raise ValidationError("A service account is never staff.")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the principal; a new one gets its own team in the same commit.

        A new password ends what was begun by the old one, and so does the end of one. Django names
        none where it only upgrades the hash.
        """
        is_new = self._state.adding
        changes_password = self._password is not None or self._loses_password
        with transaction.atomic():
            if changes_password and not is_new:
                self._end_sessions()
                if kwargs.get("update_fields") is not None:
                    kwargs["update_fields"] = {*kwargs["update_fields"], "sessions_ended_at"}
            super().save(*args, **kwargs)
            self._loses_password = False
            if is_new:
                team = self.teams.model.objects.create(name=self.shown_name[:254], owner=self)
                self.memberships.create(team=team)


class ForgottenSubject(models.Model):
    """That somebody of an external issuer was forgotten: of the subject only a digest is kept.

    Tokens issued until `forgotten_at` make nobody anew.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    forgotten_at = models.DateTimeField()
    clock_lead = models.FloatField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.digest
