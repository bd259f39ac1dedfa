"""Whether a request may call a platform now: if a thread may wait for it, and it is not down.

`reserve` is asked by the verbs, before they spend anything. The hooks at the end hold for every
other call that a request makes, such as a revocation at once or the fetch of a sender's keys.
"""

import logging
import math

from django.db import DatabaseError, InterfaceError

from connections_project.core import clock
from connections_project.core.request_slots import request_slot
from connections_project.oauth.errors import PlatformError
from connections_project.oauth.observers import Kind
from connections_project.oauth.transport import Answer
from connections_project.platforms.registry import PlatformBusyError
from connections_project.revocation.circuits import note_call_failure, note_call_success
from connections_project.revocation.models import CallCircuit

logger = logging.getLogger(__name__)

# When a caller that found no slot is to come again, in seconds.
RETRY_SECONDS = 2
# Errors of a platform that is away; others may concern one user, or one post.
UNREACHABLE = frozenset({"connect_error", "timeout", "reset"})
OWN_CIRCUIT = frozenset({"revoke", "verify"})
GATEWAY_STATUSES = frozenset({502, 503, 504})


def reserve(platform: str) -> None:
    """Reserve a thread for the current request's calls; without effect outside of requests.

    Args:
        platform: Its slug. A request that calls it already goes on.

    Raises:
        PlatformBusyError: It has taken up its share of the threads, or is down.
    """
    slot = request_slot()
    if slot is None or slot.server == platform:
        return
    circuit = CallCircuit.objects.filter(platform=platform).first()
    if circuit is not None and (left := circuit.left_alone_for(clock.now())):
        raise PlatformBusyError(platform, retry_after=math.ceil(left.total_seconds()))
    is_probe = circuit is not None and circuit.is_in_trouble
    if not slot.take(platform, is_probe=is_probe):
        raise PlatformBusyError(platform, retry_after=RETRY_SECONDS)


def reserve_for_call(platform: str, kind: Kind) -> None:
    """Reserve a thread for a call that no verb has reserved one for.

    Revocations, and probes of revoked tokens, have circuits of their own, which the revoker heeds.

    Raises:
        PlatformError: `not_asked`.
    """
    try:
        if kind not in OWN_CIRCUIT:
            reserve(platform)
            return
        slot = request_slot()
        if slot is not None and slot.server != platform and not slot.take(platform):
            raise PlatformBusyError(platform, retry_after=RETRY_SECONDS)
    except PlatformBusyError as error:
        raise PlatformError(
            "not_asked", platform=platform, retry_after=error.retry_after
        ) from error


def note_call(platform: str, kind: Kind, result: Answer | PlatformError, _seconds: float) -> None:
    """Learn from a request's call whether its platform is up."""
    slot = request_slot()
    if slot is None or kind in OWN_CIRCUIT:
        return
    try:
        if is_away(result):
            retry_after = result.retry_after if isinstance(result, PlatformError) else None
            note_call_failure(platform, retry_after=retry_after)
        elif slot.is_probe:
            note_call_success(platform)
            slot.is_probe = False
    except (DatabaseError, InterfaceError):
        # The answer itself must not be lost because of this.
        logger.warning("%s: how it is doing can't be noted", platform, exc_info=True)


def is_away(result: Answer | PlatformError) -> bool:
    """Whether a platform does not answer, rather than one user or one post is refused."""
    is_silent = isinstance(result, PlatformError) and result.code in UNREACHABLE
    return is_silent or result.status in GATEWAY_STATUSES
