"""Notices that a grant is over: taken once, in time, and never against a newer connection."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import models, transaction

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.connections.deauthorize import mark_deauthorized
from connections_project.connections.models import OAuthConnection
from connections_project.core import clock
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.webhooks.errors import RefusedNoticeError
from connections_project.webhooks.models import DataDeletion, HandledNotice
from connections_project.webhooks.subjects import Subject

# TikTok repeats for 72 hours; of the others nobody knows, so all are given a week. A notice that
# is older is refused, so that nothing can be replayed once its digest is forgotten.
LONGEST_AGE = timedelta(days=7)
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Notice:
    """A verified notice of a platform.

    Args:
        sender: The name of its file in `senders/`.
        digest: What it is known by when it comes again.
        occurred_at: When the grant ended.
    """

    sender: str
    digest: str
    occurred_at: datetime
    subject: Subject


def from_epoch(seconds: object) -> datetime:
    """Read when something happened, in seconds of the epoch.

    Raises:
        RefusedNoticeError: It is no time, or one that no notice is taken from.
    """
    try:
        read = datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        raise _no_time() from None
    return _in_time(read)


def from_iso(text: str) -> datetime:
    """Read when something happened, by ISO 8601; UTC unless it says.

    Raises:
        RefusedNoticeError: See `from_epoch`.
    """
    try:
        read = datetime.fromisoformat(text)
        return _in_time(read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC))
    except (ValueError, OverflowError):
        raise _no_time() from None


def _no_time() -> RefusedNoticeError:
    return RefusedNoticeError("invalid_request", "The time is missing or malformed.")


def _in_time(read: datetime) -> datetime:
    now = clock.now()
    if not now - LONGEST_AGE < read < now + CLOCK_SKEW:
        raise RefusedNoticeError("invalid_request", "The notice is too old, or from the future.")
    return read


def digest_of(sender: str, identity: str | bytes) -> str:
    """Return what a notice is known by: its event's id, or all of it where it has none."""
    # JSON may spell half of a surrogate pair, which has no bytes of its own.
    encoded = identity.encode("utf-8", "surrogatepass") if isinstance(identity, str) else identity
    return hashlib.sha256(sender.encode() + b"\n" + encoded).hexdigest()


def apply(notice: Notice, *, client_address: str) -> int:
    """End the connections whose grant is over; a notice that was applied before does nothing.

    Args:
        notice: A verified one.

    Returns:
        How many were ended.
    """
    with transaction.atomic():
        if not is_news(notice.sender, notice.digest):
            return 0
        origin = _origin(client_address)
        with_tokens = [row for row in _locked(notice) if row.auth_state is not None]
        mark_deauthorized(with_tokens, origin=origin, sender=notice.sender)
    return len(with_tokens)


def erase(notice: Notice, *, client_address: str) -> DataDeletion:
    """End a person's connections, and erase tokens and profile, also of those that are over.

    Args:
        notice: A verified one.

    Returns:
        The deletion; of a request that is repeated, the first one.
    """
    with transaction.atomic():
        code = secrets.token_hex(8)
        deletion, is_news = DataDeletion.objects.get_or_create(
            notice_digest=notice.digest, defaults={"confirmation_code": code}
        )
        if is_news:
            deletion.connections = _erase(notice, client_address=client_address)
            deletion.save(update_fields=["connections"])
    return deletion


def _erase(notice: Notice, *, client_address: str) -> int:
    origin = _origin(client_address)
    rows = _locked(notice)
    mark_deauthorized(rows, origin=origin, sender=notice.sender, forget_person=True)
    erased = [row.pk for row in rows]
    # A job that still has to revoke needs to know whose grant it ends: see `erasures`.
    done = RevocationJob.objects.filter(connection_id__in=erased).exclude(state=JobState.PENDING)
    done.update(platform_user_id=None)
    return len(erased)


def is_news(sender: str, digest: str, *, issued_at: datetime | None = None) -> bool:
    """Whether a notice comes for the first time, which it has from then on; in a transaction.

    Args:
        issued_at: The time by which it is refused for its age, where that may lie ahead: until
            then it is remembered.
    """
    now = clock.now()
    known = {"sender": sender, "handled_at": max(now, issued_at or now)}
    _, created = HandledNotice.objects.get_or_create(digest=digest, defaults=known)
    return created


def _locked(notice: Notice) -> list[OAuthConnection]:
    """Lock the person's connections, but for those that were connected after the notice's time."""
    # The notice has whole seconds, so that one of the same second counts as later.
    not_newer = models.Q(connected_at__lt=notice.occurred_at + timedelta(seconds=1))
    return [
        row
        for rows in notice.subject.connections()
        for row in rows.filter(not_newer).select_for_update().order_by("pk")
    ]


def _origin(client_address: str) -> Origin:
    return Origin(ActorType.PLATFORM, None, Interface.WEBHOOK, client_address=client_address)


def forget_old_notices() -> int:
    """Forget notices that would be refused for their age alone.

    Returns:
        How many were forgotten.
    """
    limit = clock.now() - LONGEST_AGE - CLOCK_SKEW
    forgotten, _ = HandledNotice.objects.filter(handled_at__lt=limit).delete()
    return forgotten
