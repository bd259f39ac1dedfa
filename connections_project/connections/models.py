"""What a connection is in every app: credentials, an epoch, and one refresh at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import F
from django.db.models.expressions import Combinable

from connections_project.connections.attention import HEALTHY, AttentionMixin
from connections_project.connections.token_names import token_names
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.text import undeceptive
from connections_project.core.vault import Sealed, SealedField, open_sealed, seal
from connections_project.oauth.client import Identity, TokenSet
from connections_project.platforms.registry import Upstream, upstream
from connections_project.revocation.grants import Grant
from connections_project.revocation.release import TokenBundle

# The columns of credentials, and what is left of them: a row that holds nothing has these values.
ERASED = MappingProxyType[str, Any](
    {"auth_state": None, "has_refresh_token": False}
    | dict.fromkeys(("refresh_token_prefix", "refresh_token_hash"))
)
LEASE = ("refresh_lease", "refresh_leased_until")

# With these a refresh also brings the grant a new end, where it has one.
RENEWING = frozenset({"rotating", "self_exchange"})


class OAuthConnection(AttentionMixin):
    """The columns and facts that the three apps' connections share.

    `epoch` rises with every change of credentials or status, so that whoever comes back from a
    call to the platform sees whether the row is still the one that was read.
    """

    app: ClassVar[str]
    platform_column: ClassVar[str]
    owner_column: ClassVar[str]
    # Whether a disconnect leaves the tokens here, unused, unless their erasure is asked for.
    keeps_tokens: ClassVar[bool] = False
    status: "models.Field[str, str]"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    auth_state = SealedField(null=True)
    epoch = models.PositiveIntegerField(default=0)
    has_refresh_token = models.BooleanField(default=False)
    token_issued_at = models.DateTimeField(null=True)
    token_expires_at = models.DateTimeField(null=True)
    grant_expires_at = models.DateTimeField(null=True)
    # When a grant that is given a new end with each refresh has lived half of its life.
    renew_at = models.DateTimeField(null=True)
    granted_scope = models.TextField(default="")
    client_id = models.CharField(max_length=255, default="")
    authority = models.CharField(max_length=255, default="")
    # Null where the platform does not say who the account belongs to.
    platform_account_id = models.CharField(max_length=255, null=True)
    platform_account_name = models.CharField(max_length=255, default="")
    granting_user_id = models.CharField(max_length=255, null=True)
    # By these a platform may name a token that is dead; null where it doesn't.
    refresh_token_prefix = models.CharField(max_length=16, null=True)
    refresh_token_hash = models.CharField(max_length=88, null=True)
    # The one process that may spend the refresh token just now, and until when.
    refresh_lease = models.UUIDField(null=True)
    refresh_leased_until = models.DateTimeField(null=True)
    connected_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def platform_slug(self) -> str:
        return str(getattr(self, self.platform_column))

    @property
    def shown_status(self) -> str:
        """Return the status in the app's own words, as the host application is told it."""
        return self.status

    @classmethod
    def shown_status_expression(cls) -> Combinable:
        """Return `shown_status` as an expression of the database."""
        return F("status")

    @property
    def responsible_id(self) -> UUID:
        """Return the owner's id for the audit log: a user's, or a team's."""
        owner: UUID = getattr(self, self.owner_column)
        return owner

    @property
    def holds_tokens(self) -> bool:
        """Whether there are tokens; of rows from `lock_rows` without reading any ciphertext."""
        if "auth_state" in self.__dict__:
            return self.auth_state is not None
        held: bool = self.__dict__["held_when_locked"]
        return held

    @property
    def vault_subject(self) -> str:
        """Name the row in its ciphertext, so that one pasted from another row is refused."""
        return f"connection:{self.pk}"

    @property
    def account_name(self) -> str:
        """The account's name for people: nothing in it turns what follows it."""
        return undeceptive(self.platform_account_name)

    @property
    def grant(self) -> Grant:
        return Grant(self.authority, self.client_id, self.granting_user_id)

    def token_bundle(
        self, tokens: TokenSet | None = None, *, grant: Grant | None = None
    ) -> TokenBundle:
        """Describe tokens for the revoker: the row's own, or others that have come for it."""
        ends_at = _later(clock.now(), tokens.expires_in) if tokens else self.token_expires_at
        return TokenBundle(
            app=self.app,
            platform_slug=self.platform_slug,
            connection_id=self.pk,
            owner_id=self.responsible_id,
            grant=grant or self.grant,
            sealed=self.sealed(tokens) if tokens else self.auth_state,
            token_expires_at=ends_at,
            may_have_extras=tokens is None or bool(tokens.extras),
            is_extras_only=tokens is not None and not (tokens.access_token or tokens.refresh_token),
        )

    def sealed(self, tokens: TokenSet) -> Sealed:
        return seal(tokens.as_payload(), subject=self.vault_subject)

    def opened(self) -> TokenSet:
        """Return the row's tokens.

        Raises:
            DecryptionError: No key reads them, or they belong to another row.
        """
        if self.auth_state is None:
            raise ValueError("This connection holds no credentials.")
        return TokenSet.from_payload(open_sealed(self.auth_state, subject=self.vault_subject))

    def take_tokens(self, tokens: TokenSet, *, now: datetime) -> None:
        """Store fresh tokens of the same or of a new grant. The caller saves the row."""
        self.auth_state = self.sealed(tokens)
        self.has_refresh_token = tokens.refresh_token is not None
        for column, name in token_names(self.platform_slug, tokens.refresh_token).items():
            setattr(self, column, name)
        self.token_issued_at = now
        self.token_expires_at = _later(now, tokens.expires_in)
        self.granted_scope = tokens.scope or self.granted_scope
        if tokens.refresh_expires_in is not None:
            self.grant_expires_at = _later(now, tokens.refresh_expires_in)
        self.renew_at = self._half_life(tokens, now=now)
        self.be_healthy(renewed=tokens.refresh_expires_in is not None, now=now)
        self.changed(now=now)

    def _half_life(self, tokens: TokenSet, *, now: datetime) -> datetime | None:
        found = upstream(self.platform_slug)
        if tokens.refresh_expires_in is None or tokens.refresh_token is None or found is None:
            return None
        # Where the catalogue knows a fixed end, a refresh gives no new one.
        renews = found.platform.refresh in RENEWING and not found.platform.grant_lifetime_days
        return now + timedelta(seconds=tokens.refresh_expires_in) / 2 if renews else None

    def take_grant(
        self,
        tokens: TokenSet,
        identity: Identity,
        *,
        upstream: Upstream,
        now: datetime,
        granted_by: str | None = None,
    ) -> None:
        """Store the tokens of a grant that the user has just given. The caller saves the row.

        Args:
            tokens: The account's own.
            granted_by: The platform user who gave it, where that is not the account itself.
        """
        days = upstream.platform.grant_lifetime_days
        self.grant_expires_at = now + timedelta(days=days) if days else None
        # What the grant before it needed attention for is over with it.
        self.attention_reason = self.attention_since = None
        self.granted_scope = ""
        self.client_id = upstream.registration.client_id
        self.authority = upstream.authority
        self.platform_account_id = identity.account_id
        self.platform_account_name = identity.account_name or ""
        self.granting_user_id = granted_by or identity.grantor_id
        self.connected_at = now
        self.take_tokens(tokens, now=now)

    def lose_grant(self, status: str) -> None:
        """Note that the platform no longer honours the grant. The caller saves the row.

        Args:
            status: What that makes of it, in the app's words.
        """
        self.status = status

    def disconnected_columns(self, *, now: datetime) -> dict[str, Any]:
        """Return what a disconnect makes of the row, beside its tokens."""
        return {"status": "disconnected", "disconnected_at": now, **HEALTHY}

    def deauthorized_columns(self, _now: datetime, /) -> dict[str, Any]:
        """Return what the user's revocation at the platform makes of the row, beside its tokens."""
        raise NotImplementedError

    def anonymous_columns(self) -> dict[str, Any]:
        """Return what is left of the platform's user, who asked to be forgotten."""
        nobody = dict.fromkeys(("platform_account_id", "granting_user_id"))
        return {**nobody, "platform_account_name": ""}

    @classmethod
    def forget_texts(cls, rows: Sequence[Self]) -> None:
        """Erase what people wrote for connections that are over; by default there is nothing."""

    def changed(self, *, now: datetime) -> None:
        """Mark a change of credentials or status: whoever read the row before comes too late."""
        self.epoch += 1
        self.updated_at = now
        for column in LEASE:
            setattr(self, column, None)


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
