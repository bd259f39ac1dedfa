"""`Idempotency-Key`: a request that comes again is never sent again.

The statuses are those of draft-ietf-httpapi-idempotency-key-header-07, section 2.7.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError

from connections_project.connections.errors import ConnectionProblem
from connections_project.core import clock
from connections_project.core.storable import NotStorableError
from connections_project.core.vault import DecryptionError
from connections_project.platforms.publishing import (
    InvalidPostError,
    Published,
    PublishingUnsupportedError,
)
from connections_project.platforms.registry import PlatformUnavailableError
from social.errors import KeyReusedError, OutcomeUnknownError, PublishFailedError, StillSendingError
from social.models import Publication, PublicationState

# How long a key is known; whoever repeats a call does so within minutes.
KEPT = timedelta(hours=24)
# No call takes as long: one that has not ended by then was broken off.
LONGEST_CALL = timedelta(minutes=2)

# These are raised as long as nothing was published.
BEFORE_SENDING = (
    ConnectionProblem,
    PlatformUnavailableError,
    InvalidPostError,
    PublishingUnsupportedError,
    DecryptionError,
    NotStorableError,
)


@dataclass(frozen=True)
class PublishRequest:
    """What a caller wants published.

    Args:
        image_url: An https address, which the platform fetches.
        idempotency_key: The caller's own name for this request; None where it takes the risk.
    """

    account_id: UUID
    caption: str
    image_url: str | None
    idempotency_key: str | None

    @property
    def sha256(self) -> str:
        content = json.dumps([str(self.account_id), self.caption, self.image_url])
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Claim:
    """The right to send a request; `earlier` is what came of it before, and then there is none."""

    row: Publication | None = None
    earlier: Published | None = None

    @contextmanager
    def given_up_if_refused(self) -> Iterator[None]:
        """Forget the key where the request was refused before anything was published."""
        try:
            yield
        except PublishFailedError:
            raise
        except BEFORE_SENDING:
            if self.row is not None:
                self.row.delete()
            raise

    def published(self, published: Published) -> None:
        """Note a success, in the caller's transaction."""
        self._end(PublicationState.PUBLISHED, post_id=published.post_id, post_url=published.url)

    def failed(self, *, is_uncertain: bool) -> None:
        """Note a failure, in the caller's transaction."""
        self._end(PublicationState.UNKNOWN if is_uncertain else PublicationState.FAILED)

    def _end(self, state: PublicationState, **columns: str | None) -> None:
        if self.row is not None:
            Publication.objects.filter(pk=self.row.pk).update(state=state, **columns)


def claim(request: PublishRequest, *, team_id: UUID) -> Claim:
    """Claim a request's key for it, before anything is sent.

    Raises:
        KeyReusedError, StillSendingError, OutcomeUnknownError: See there.
        PublishFailedError: That is what came of it before.
    """
    if request.idempotency_key is None:
        return Claim()
    try:
        row, is_new = Publication.objects.get_or_create(
            team_id=team_id,
            idempotency_key=request.idempotency_key,
            defaults={"request_sha256": request.sha256, "created_at": clock.now()},
        )
    except IntegrityError:
        # The call that had it has just given it back.
        raise StillSendingError from None
    if is_new:
        return Claim(row)
    if row.request_sha256 != request.sha256:
        raise KeyReusedError
    return Claim(row, _earlier_result(row))


def _earlier_result(row: Publication) -> Published:
    match row.state:
        case PublicationState.PUBLISHED:
            return Published(row.post_id, row.post_url)
        case PublicationState.SENDING:
            is_broken_off = row.created_at < clock.now() - LONGEST_CALL
            raise OutcomeUnknownError if is_broken_off else StillSendingError
    raise PublishFailedError(is_uncertain=row.state == PublicationState.UNKNOWN)


def forget_old_keys() -> int:
    """Drop what is known of keys that nobody will repeat any more.

    Returns:
        How many.
    """
    old = Publication.objects.filter(created_at__lt=clock.now() - KEPT)
    dropped, _ = old.delete() if old.exists() else (0, {})
    return dropped
