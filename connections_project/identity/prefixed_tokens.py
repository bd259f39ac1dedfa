"""Tokens of our own for programs: a public prefix that finds a row, and a secret that is hashed.

Of the secret only the hash is stored: 256 random bits can't be guessed from it, so that no slow
hash is needed.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models
from django.db.models import Q, QuerySet

USE_IS_NOTED_EVERY = timedelta(minutes=1)
NO_DIGEST = "0" * 64


class PrefixedToken(models.Model):
    """The columns by which such a token is found and judged."""

    # What a token begins with: public, to find it by and to recognise it.
    prefix = models.CharField(max_length=32, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


T = TypeVar("T", bound=PrefixedToken)


@dataclass(frozen=True)
class NewSecret:
    """What a new row stores (`prefix` and `digest`), and the token itself, which it does not."""

    prefix: str
    digest: str
    token: str


@dataclass(frozen=True)
class TokenFormat:
    """How tokens of one kind look.

    Args:
        mark: What all of them begin with, so that scanners for leaked secrets know them.
    """

    mark: str

    def new(self) -> NewSecret:
        prefix, secret = f"{self.mark}_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
        return NewSecret(prefix, digest_of(secret), f"{prefix}_{secret}")

    def find(self, rows: "QuerySet[T]", raw: str) -> T | None:
        """Find the row of a token by one query and one comparison, whatever is wrong with it.

        Args:
            raw: The token as it came; a malformed one costs as much as a wrong one.
        """
        match = re.fullmatch(rf"({self.mark}_[0-9a-f]{{16}})_([A-Za-z0-9_-]{{43}})", raw)
        prefix, secret = match.groups() if match else (self.mark, raw)
        row = rows.filter(prefix=prefix).first()
        stored = row.secret_sha256 if row else NO_DIGEST
        return row if hmac.compare_digest(digest_of(secret), stored) else None


def digest_of(secret: str) -> str:
    # A header may hold anything, also what UTF-8 has no bytes for.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def note_use(row: PrefixedToken, *, now: datetime) -> None:
    """Note when a token was last used, by at most one write a minute over all processes."""
    limit = now - USE_IS_NOTED_EVERY
    if row.last_used_at is None or row.last_used_at < limit:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=limit)
        type(row)._default_manager.filter(stale, pk=row.pk).update(last_used_at=now)
