"""What transmitters of security events tell of an issuer's people (OpenID CAEP 1.0, RISC 1.0)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from audit.events import ActorType, Interface
from audit.record import Origin
from connections_project.conf.issuers import ASYMMETRIC, Transmitter
from connections_project.core import clock
from connections_project.identity import sessions
from connections_project.identity.external_tokens import key_server
from connections_project.identity.models import User
from connections_project.identity.subject_identifiers import UnknownIdentifierError, people_named
from connections_project.middleware.trusted_proxies import client_address
from connections_project.oauth import key_server as keys
from connections_project.operations.offboarding import lock_with_teams
from connections_project.operations.offboarding_worker import begin_offboarding
from connections_project.webhooks.errors import KeysUnavailableError, RefusedNoticeError
from connections_project.webhooks.event_tokens import EventToken, Expected, parse, verify
from connections_project.webhooks.notices import LONGEST_AGE, digest_of, is_news

SENDER = "security_events"
LAST_SECOND = 253_402_300_799  # of the calendar


@dataclass(frozen=True)
class SecurityEvent:
    """One event: its type, when it was, and whom it is about."""

    kind: str
    occurred_at: datetime
    people: "QuerySet[User]"


Effect = Callable[[User, SecurityEvent, Origin], object]


def receive(request: HttpRequest, name: str) -> None:
    """Take a transmitter's event token; one that comes again has no effect.

    Args:
        request: Its body is the token.

    Raises:
        Http404: There is no such transmitter.
        RefusedNoticeError: The token is not the transmitter's, not for us, or malformed.
        KeysUnavailableError: The transmitter's keys can't be had; nothing is used up.
    """
    transmitter = settings.IDENTITY.transmitters.get(name)
    if transmitter is None:
        raise Http404
    token = parse(request.body, algorithms=ASYMMETRIC)
    claims = verify(token, _expected(transmitter))
    events = list(_events(claims, transmitter))
    digest = digest_of(f"{SENDER} {transmitter.issuer}", str(claims["jti"]))
    with transaction.atomic():
        if is_news(SENDER, digest, issued_at=_time(claims["iat"])):
            _apply(
                events, Origin(ActorType.PLATFORM, None, Interface.WEBHOOK, client_address(request))
            )


def _expected(transmitter: Transmitter) -> Expected:
    return Expected(
        issuer=transmitter.issuer,
        audiences=[transmitter.audience],
        find_key=lambda token: _key(transmitter, token),
    )


def _key(transmitter: Transmitter, token: EventToken) -> Any:
    server = key_server(issuer=transmitter.issuer, jwks_uri=transmitter.jwks_uri)
    try:
        return server.find(token.kid, token.algorithm)
    except keys.UnknownKeyError:
        raise RefusedNoticeError("invalid_key", "The key is not published.") from None
    except keys.KeysUnavailableError as error:
        raise KeysUnavailableError(error.retry_after) from None


def _events(claims: Mapping[str, Any], transmitter: Transmitter) -> Iterator[SecurityEvent]:
    """Read the events that mean something here."""
    events, issued_at = claims.get("events"), _time(claims["iat"])
    if not isinstance(events, Mapping) or not events:
        raise RefusedNoticeError("invalid_request", "events is missing.")
    if issued_at < clock.now() - LONGEST_AGE:
        # Nobody remembers then whether it has come already.
        raise RefusedNoticeError("invalid_request", "The token is too old.")
    for kind in (one for one in EFFECTS if one in events):
        payload = events[kind] if isinstance(events[kind], Mapping) else {}
        occurred = payload.get("event_timestamp")
        occurred_at = issued_at if occurred is None else _time(occurred)
        subject = payload.get("subject", claims.get("sub_id"))
        yield SecurityEvent(kind, occurred_at, _people(transmitter, subject))


def _people(transmitter: Transmitter, subject: Any) -> "QuerySet[User]":
    issuer = settings.IDENTITY.issuer_named(transmitter.events_issuer)
    try:
        # The start has seen to it that there is such a table.
        return people_named(issuer.issuer if issuer else "", subject)
    except UnknownIdentifierError:
        raise RefusedNoticeError("invalid_request", "The subject can't be read.") from None


def _time(value: Any) -> datetime:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LAST_SECOND:
        raise RefusedNoticeError("invalid_request", "A time is malformed.")
    return datetime.fromtimestamp(value, UTC)


def _apply(events: list[SecurityEvent], origin: Origin) -> None:
    for event in events:
        for user in event.people:
            EFFECTS[event.kind](user, event, origin)


def _end_sessions(user: User, event: SecurityEvent, origin: Origin) -> None:
    sessions.end_all(user, until=event.occurred_at, origin=origin, reason=event.kind)


def _deactivate(user: User, event: SecurityEvent, origin: Origin) -> None:
    locked = lock_with_teams(user)
    if locked.is_active and not locked.has_returned_since(event.occurred_at):
        begin_offboarding(user, reason=event.kind, origin=origin)


_SCHEMAS = "https://schemas.openid.net/secevent"
# Deactivating comes first: it locks a user's teams before the user.
EFFECTS: Mapping[str, Effect] = {
    f"{_SCHEMAS}/risc/event-type/account-disabled": _deactivate,
    f"{_SCHEMAS}/risc/event-type/account-purged": _deactivate,
    f"{_SCHEMAS}/risc/event-type/credential-compromise": _deactivate,
    f"{_SCHEMAS}/caep/event-type/session-revoked": _end_sessions,
    f"{_SCHEMAS}/caep/event-type/credential-change": _end_sessions,
}
