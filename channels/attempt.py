"""Try to publish one claimed schedule through its platform's adapter.

refresh on use → look at the connection and mark → send → record

No transaction is open while a platform is asked. What may have been accepted is never sent again
unless the platform recognizes a repeated post by its key (docs/api.md, "Publishing").
"""

import logging
import time
import traceback
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError

from audit.events import ActorType, Interface
from audit.record import Origin
from channels import outcomes
from channels.circuits import note_answer
from channels.claims import back_to_queue, begin_sending
from channels.models import ChannelConnection, Schedule, ScheduleStatus, Status
from channels.outcomes import CONNECTION_INACTIVE
from connections_project.connections.errors import (
    BusyError,
    NoRefreshTokenError,
    NotActiveError,
    RefreshFailedError,
)
from connections_project.connections.outbound_limits import is_away
from connections_project.connections.refresh import mark_dead_unless_changed, refreshed_for_use
from connections_project.core.storable import require_storable
from connections_project.core.vault import DecryptionError
from connections_project.middleware.tracing import tracing
from connections_project.oauth.errors import PlatformError, as_dead_grant, is_locked_out
from connections_project.platforms.adapter import adapter_of
from connections_project.platforms.pictures import (
    FETCH_SECONDS,
    PicturesBusyError,
    PictureUnavailableError,
    fetch_picture,
)
from connections_project.platforms.post_rules import Publishing, require_valid
from connections_project.platforms.publishing import (
    InvalidPostError,
    Picture,
    Post,
    PublishSession,
    is_surely_not_accepted,
)
from connections_project.platforms.registry import (
    PlatformUnavailableError,
    Upstream,
    is_suspended,
    usable,
)

logger = logging.getLogger(__name__)

SEND_SECONDS = 10.0
PICTURES_BUSY = timedelta(seconds=5)
IMAGE_UNSUPPORTED, IMAGE_UNAVAILABLE = "image_not_supported", "image_unavailable"


def attempt(schedule: Schedule, *, interface: Interface) -> str | None:
    """Try a claimed schedule once.

    Returns:
        Its status afterwards; None where the claim was lost, or given back.
    """
    origin = Origin(actor_type=ActorType.SYSTEM, actor_id=None, interface=interface)
    with tracing(schedule.trace_id):
        if schedule.status == ScheduleStatus.PUBLISHING:
            # Whoever sent it died before the answer was recorded.
            return outcomes.put_off(schedule, "interrupted", origin=origin, may_be_out=True)
        if outcomes.is_too_late_to_try_again(schedule):
            return outcomes.failed(schedule, outcomes.TOO_LATE, origin=origin)
        try:
            return _attempt(schedule, origin)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - a slip must not keep other posts waiting.
            _log_unforeseen(schedule, error)
            return outcomes.put_off(schedule, "internal_error", origin=origin, may_be_out=True)


def _log_unforeseen(schedule: Schedule, error: Exception) -> None:
    """Log what it was and where, but not its text, which may hold a token."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = (type(error).__name__, where.filename, where.lineno)
    logger.error("Publishing broke off: %s in %s, line %s: schedule %s", *place, schedule.pk)


def _attempt(schedule: Schedule, origin: Origin) -> str | None:
    slug = schedule.channel_connection.channel
    try:
        upstream = usable(slug)
        publishing = adapter_of(upstream.platform).publishing
        if publishing is None:
            return outcomes.failed(schedule, "publishing_not_supported", origin=origin)
        _require_valid(schedule, upstream, publishing)
        return _Sending(schedule, upstream, publishing, origin).run()
    except InvalidPostError as error:
        return outcomes.failed(schedule, _reason(error), origin=origin)
    except PlatformUnavailableError:
        if is_suspended(slug):
            return outcomes.released(schedule, origin=origin)
        return outcomes.put_off(schedule, "platform_unavailable", origin=origin)
    except DecryptionError:
        return outcomes.failed(schedule, "unreadable_credentials", origin=origin)


def _require_valid(schedule: Schedule, upstream: Upstream, publishing: Publishing) -> None:
    """Refuse what fitted when it was scheduled and does no longer, since the catalogue changed."""
    require_valid(
        upstream.platform,
        publishing,
        text=schedule.content,
        image_url=schedule.image_url,
        options=schedule.options,
    )


def _reason(error: InvalidPostError) -> str:
    codes = {one.code for one in error.problems}
    return IMAGE_UNSUPPORTED if IMAGE_UNSUPPORTED in codes else "invalid_post"


@dataclass(frozen=True)
class _Sending:
    """One schedule on its way to a platform that can be published to."""

    schedule: Schedule
    upstream: Upstream
    publishing: Publishing
    origin: Origin
    picture: Picture | None = None

    def run(self) -> str | None:
        connection = self.schedule.channel_connection
        if connection.status == Status.CONNECTED and self._refresh_failed(connection, force=False):
            return self._put_off("refresh_failed")
        try:
            ready = replace(self, picture=self._picture())
        except PicturesBusyError:
            return outcomes.released(self.schedule, origin=self.origin, wait=PICTURES_BUSY)
        except PictureUnavailableError:
            return self._failed(IMAGE_UNAVAILABLE)
        return ready._send(may_refresh=True)

    def _picture(self) -> Picture | None:
        """Fetch the picture of a platform that wants its bytes, as long as the claim holds."""
        url, rule = self.schedule.image_url, self.publishing.image
        is_live = self.schedule.channel_connection.status == Status.CONNECTED
        if not is_live or url is None or rule is None or not rule.is_uploaded:
            return None
        within = min(FETCH_SECONDS, 0.5 * settings.PUBLISH_LEASE_SECONDS)
        return fetch_picture(url, rule, within=within)

    def _send(self, *, may_refresh: bool) -> str | None:
        # Once more: a suspension may have come while the token was refreshed.
        usable(self.upstream.platform.slug)
        if outcomes.is_too_late_to_repeat(self.schedule):
            return self._failed(outcomes.OUTCOME_UNKNOWN)
        require_storable()
        connection = begin_sending(self.schedule)
        if connection is None:
            return None
        if connection.status != Status.CONNECTED:
            return self._failed(CONNECTION_INACTIVE)
        session = self._session(connection)
        try:
            answer = self.publishing.publish(session, self._post(connection))
        except PlatformError as error:
            status = self._after(error, connection, session, may_refresh=may_refresh)
            note_answer(self.schedule, error)
            return status
        status = outcomes.published(self.schedule, answer, origin=self.origin)
        note_answer(self.schedule, None)
        return status

    def _post(self, connection: ChannelConnection) -> Post:
        return Post(
            text=self.schedule.content,
            image_url=self.schedule.image_url,
            account_id=connection.platform_account_id or "",
            key=str(self.schedule.pk),
            account_name=connection.platform_account_name,
            options=self.schedule.options,
            picture=self.picture,
        )

    def _session(self, connection: ChannelConnection) -> PublishSession:
        # A disconnect leaves a post alone that `begin_sending` has marked: nothing to look at.
        more = self.publishing.more_seconds if self.schedule.image_url else 0.0
        ends_at = time.monotonic() + SEND_SECONDS + more
        return PublishSession(self.upstream, connection.opened(), ends_at, lambda: None)

    def _after(
        self,
        error: PlatformError,
        connection: ChannelConnection,
        session: PublishSession,
        *,
        may_refresh: bool,
    ) -> str | None:
        if is_locked_out(error) and connection.has_refresh_token and may_refresh:
            return self._send_with_fresh_token(connection)
        if is_locked_out(error):
            dead = as_dead_grant(error)
            mark_dead_unless_changed(connection, dead, origin=self.origin)
            return self._failed(CONNECTION_INACTIVE)
        if error.permanent:
            return self._failed(error.code)
        return outcomes.put_off(
            self.schedule,
            error.code,
            origin=self.origin,
            may_be_out=session.is_sent and not is_surely_not_accepted(error),
            retry_after=error.retry_after,
        )

    def _send_with_fresh_token(self, connection: ChannelConnection) -> str | None:
        back_to_queue(self.schedule)
        if self._refresh_failed(connection, force=True):
            return self._put_off("refresh_failed")
        return self._send(may_refresh=False)

    def _refresh_failed(self, connection: ChannelConnection, *, force: bool) -> bool:
        """Refresh a connected channel's token if need be; say whether that failed for now.

        One that is not connected any more is met with when it is to be sent by.
        """
        try:
            refreshed_for_use(connection, origin=self.origin, force=force)
        except NotActiveError:
            return False
        except (RefreshFailedError, BusyError, NoRefreshTokenError) as error:
            if isinstance(error.__cause__, PlatformError) and is_away(error.__cause__):
                note_answer(self.schedule, error.__cause__)
            connection.refresh_from_db(fields=["status"])
            return connection.status == Status.CONNECTED
        return False

    def _failed(self, error: str) -> str | None:
        return outcomes.failed(self.schedule, error, origin=self.origin)

    def _put_off(self, error: str) -> str | None:
        return outcomes.put_off(self.schedule, error, origin=self.origin)
