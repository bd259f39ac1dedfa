"""Find out whether a connection's tokens have outlived a revocation beside them.

The platform may not answer just then. So the question is stored before it is asked, and asked again
with a revocation's waits until it is answered, or its time is over.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from audit.record import WORKER, Origin
from connections_project.connections.models import OAuthConnection
from connections_project.connections.refresh import (
    mark_dead_unless_changed,
    mark_unconfirmed_unless_changed,
    refreshed_for_use,
)
from connections_project.connections.registry import connection_type, connection_types
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.core.jobs.lease import lease_end
from connections_project.core.jobs.queue import process_jobs
from connections_project.core.vault import DecryptionError
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.client import identify
from connections_project.platforms.registry import Upstream, upstream, usable
from connections_project.revocation.grants import Grant, holders_by_app
from connections_project.revocation.models import OpenQuestion
from connections_project.revocation.waits import end_of_life, next_try

logger = logging.getLogger(__name__)

# So long an access token lives at least whose end the platform did not give; afterwards only a
# refresh tells.
UNKNOWN_LIFE = timedelta(hours=1)
RENEWED = ("attempts", "created_at", "due_at", "lease", "leased_until")


class UnansweredError(Exception):
    """Nobody could be asked just now, or the answer was about tokens of before."""


class UnanswerableError(UnansweredError):
    """Nobody can be asked: nothing says whose the access token is, and nothing refreshes it."""


def live_holders(grant: Grant) -> Iterator[list[OAuthConnection]]:
    """Yield the live connections on a grant, app by app, in the order of their ids.

    It is the same order for all: of two connects that note questions about the same connections,
    each would else wait for the other's commit, whichever holders it sees.
    """
    for app, ids in sorted(holders_by_app(grant).items()):
        one = connection_type(app)
        yield list(one.rows.filter(pk__in=ids, status=one.refresh_rules.live).order_by("pk"))


def note_stored(grant: Grant, *, lease: UUID) -> None:
    """Claim a question about each connection on a grant, in the commit that stores the grant.

    Whether a revocation came beside it can only be seen afterwards, which nobody may live to do.
    One that is open already stays as it is.
    """
    for rows in live_holders(grant):
        OpenQuestion.objects.bulk_create(_questions(rows, lease), ignore_conflicts=True)


def drop_noted(grant: Grant, *, lease: UUID) -> None:
    """Drop what `note_stored` has claimed: no revocation came beside it."""
    ids = list(chain(*holders_by_app(grant).values()))
    OpenQuestion.objects.filter(connection_id__any_of=ids, lease=lease).delete()


def find_out(rows: Sequence[OAuthConnection], *, origin: Origin) -> None:
    """Mark connections as dead whose tokens the platform refuses; ask again where it didn't say.

    Args:
        rows: Of one app, in the order of their ids, as they were just read.
        origin: Who caused the questions.
    """
    by_id = {row.pk: row for row in rows}
    for question in _note(rows):
        _find_out(by_id[question.connection_id], question, origin)


def _find_out(row: OAuthConnection, question: OpenQuestion, origin: Origin) -> None:
    try:
        _ask(row, origin)
    except (PlatformError, DecryptionError, UnansweredError) as error:
        words = "%s: whether connection %s has outlived a revocation is asked again (%s)"
        logger.warning(words, row.platform_slug, row.pk, getattr(error, "code", "not asked"))
        question.retry(error)
    else:
        question.finish()


def _note(rows: Sequence[OAuthConnection]) -> list[OpenQuestion]:
    """Claim a question about each; one that is open already begins anew, whoever asks it now."""
    lease = uuid7()
    OpenQuestion.objects.bulk_create(
        _questions(rows, lease),
        update_conflicts=True,
        unique_fields=["connection_id"],
        update_fields=RENEWED,
    )
    return list(
        OpenQuestion.objects.filter(connection_id__in=[row.pk for row in rows], lease=lease)
    )


def _questions(rows: Sequence[OAuthConnection], lease: UUID) -> list[OpenQuestion]:
    now = clock.now()
    questions = [
        OpenQuestion(app=row.app, platform=row.platform_slug, connection_id=row.pk, created_at=now)
        for row in rows
    ]
    for one in questions:
        one.attempts = 1
        one.due_at = next_try(one, retry_after=None)
        one.lease, one.leased_until = lease, lease_end(one.lease_seconds())
    return questions


def _ask(row: OAuthConnection, origin: Origin) -> None:
    """Ask whose account it is; a 401 ends the connection.

    Raises:
        PlatformError, DecryptionError, UnansweredError: That is still open.
    """
    found = upstream(row.platform_slug)
    if found is None or not _can_tell(found, row):
        raise UnansweredError
    try:
        identify(found, row.opened())
    except PlatformError as error:
        if not is_locked_out(error):
            raise
        if not mark_dead_unless_changed(row, as_dead_grant(error), origin=origin):
            raise UnansweredError from error


def _can_tell(found: Upstream, row: OAuthConnection) -> bool:
    """Whether somebody can be asked, and a refusal of the access token proves anything."""
    is_asked = found.platform.identity_endpoint or adapter_of(found.platform).identify
    return bool(is_asked) and _is_in_time(row)


def _is_in_time(row: OAuthConnection) -> bool:
    """Whether the access token has not run out by itself."""
    ends_at = row.token_expires_at
    if ends_at is None and row.has_refresh_token and row.token_issued_at is not None:
        ends_at = row.token_issued_at + UNKNOWN_LIFE
    return ends_at is None or ends_at > clock.now()


def _ask_again(question: OpenQuestion) -> None:
    """Answer an open question.

    Raises:
        Exception: It stays open.
    """
    if (row := _live(question)) is None:
        return
    try:
        _ask_or_refresh(row)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        is_last = isinstance(error, UnanswerableError) or clock.now() >= end_of_life(question)
        row = _live(question)
        if row and not (is_last and mark_unconfirmed_unless_changed(row, origin=WORKER)):
            raise


def _live(question: OpenQuestion) -> Any:
    """Return the connection; None where it is dead or disconnected by now, or its app is gone."""
    types = [one for one in connection_types() if one.app == question.app]
    key = question.connection_id
    found = (one.rows.filter(pk=key, status=one.refresh_rules.live).first() for one in types)
    return next(found, None)


def _ask_or_refresh(row: OAuthConnection) -> None:
    # One that is suspended is left alone.
    if _can_tell(usable(row.platform_slug), row):
        _ask(row, WORKER)
    elif row.has_refresh_token:
        refreshed_for_use(row, origin=WORKER, force=True)
    else:
        raise UnanswerableError


ask_open_questions = process_jobs(OpenQuestion, _ask_again, threads=4)
