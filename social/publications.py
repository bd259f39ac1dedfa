"""`Idempotency-Key`: a request that comes again is never sent again.

The statuses are those of draft-ietf-httpapi-idempotency-key-header-07, section 2.7.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from connections_project.core import clock
from connections_project.platforms.publishing import Published
from social.errors import KeyReusedError, OutcomeUnknownError, PublishFailedError, StillSendingError
from social.models import Publication, PublicationState

# How long a key is known; whoever repeats a call does so within minutes.
KEPT = timedelta(hours=24)
# No call takes as long: one that has not ended by then was broken off.
LONGEST_CALL = timedelta(minutes=2)


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


@dataclass
class Claim:
    """The right to send a request; `earlier` is what came of it before, and then there is none.

    Args:
        row: It is there from right before the post is sent, so that whatever fails before, the
            database among it, leaves nothing behind, and the key can be used again.
    """

    request: PublishRequest
    team_id: UUID
    earlier: Published | None = None
    row: Publication | None = None

    def sending(self) -> None:
        """Take the key, right before the post is sent.

        Raises:
            StillSendingError: Another call with it came first.
        """
        if self.request.idempotency_key is None:
            return
        try:
            row, is_new = Publication.objects.get_or_create(**self._key, defaults=self._defaults)
        except IntegrityError:
            # The call that had it has just given it back.
            is_new = False
        if not is_new:
            raise StillSendingError
        self.row = row

    def not_sent(self) -> None:
        """Give the key back: the post was refused for its token, and is sent again."""
        if self.row is not None:
            self.row.delete()
            self.row = None

    def published(self, published: Published) -> None:
        """Note a success, in the caller's transaction."""
        self._end(PublicationState.PUBLISHED, post_id=published.post_id, post_url=published.url)

    def failed(self, *, is_uncertain: bool) -> None:
        """Note a failure, in the caller's transaction."""
        self._end(PublicationState.UNKNOWN if is_uncertain else PublicationState.FAILED)

    def _end(self, state: PublicationState, **columns: Any) -> None:
        if self.row is not None:
            Publication.objects.filter(pk=self.row.pk).update(state=state, **columns)
        elif self.request.idempotency_key is not None:
            # It failed before it was sent; what another call with the key has sent stays.
            ended = Publication(**self._key, **self._defaults, state=state, **columns)
            Publication.objects.bulk_create([ended], ignore_conflicts=True)

    @property
    def _key(self) -> dict[str, Any]:
        return {"team_id": self.team_id, "idempotency_key": self.request.idempotency_key}

    @property
    def _defaults(self) -> dict[str, Any]:
        return {"request_sha256": self.request.sha256, "created_at": clock.now()}


def claim(request: PublishRequest, *, team_id: UUID) -> Claim:
    """Look what came of a request's key before.

    Raises:
        KeyReusedError, StillSendingError, OutcomeUnknownError: See there.
        PublishFailedError: That is what came of it before.
    """
    key = request.idempotency_key
    row = Publication.objects.filter(team_id=team_id, idempotency_key=key).first() if key else None
    if row is None:
        return Claim(request, team_id)
    if row.request_sha256 != request.sha256:
        raise KeyReusedError
    return Claim(request, team_id, _earlier_result(row))


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
