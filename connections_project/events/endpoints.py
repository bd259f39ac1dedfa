"""What operators do with endpoints; each is audited."""

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from socket import SOCK_STREAM, getaddrinfo
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.events import Action, ActorType
from audit.record import Origin, record
from connections_project.core import clock
from connections_project.core.ids import uuid7
from connections_project.events import outbox
from connections_project.events.audience import Audience, wait_until_known
from connections_project.events.models import Delivery, Endpoint
from connections_project.events.outbox import Fact
from connections_project.events.signing import new_secret, sealed_secret
from connections_project.events.types import EventType, parse_types
from connections_project.middleware.tracing import current_trace_id
from connections_project.oauth.guarded import Policy

LONGEST_URL = 2048
OLD_SECRET_LIFE = timedelta(hours=24)


class InvalidEndpointError(ValueError):
    """The address can't be an endpoint's; the message says why."""


class StillRotatingError(Exception):
    """Receivers may still hold the secret of before; `until` is when it ends by itself."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(
            f"the secret before this one signs until {until:%Y-%m-%d %H:%M} UTC, and receivers "
            "that still have it would be cut off"
        )


def create(
    *, url: str, types: str = "", origin: Origin, endpoint_id: UUID | None = None
) -> tuple[Endpoint, str]:
    """Make an endpoint.

    Args:
        url: https, or http in one of EVENT_ALLOWED_NETWORKS.
        types: Of events, comma-separated; all where it is empty.
        endpoint_id: Its id, where that was given out before, so that it is made once.

    Returns:
        The endpoint, and its secret, which nobody can see again.

    Raises:
        InvalidEndpointError: The address can't be one.
        UnknownTypeError: There is no such type.
    """
    check_url(url)
    endpoint = Endpoint(id=endpoint_id or uuid7(), url=url, types=",".join(parse_types(types)))
    secret = new_secret()
    endpoint.sealed_secret = sealed_secret(endpoint, secret)
    with transaction.atomic():
        endpoint.save(force_insert=True)
        _record(Action.EVENT_ENDPOINT_CREATED, endpoint, origin, types=endpoint.types)
        transaction.on_commit(wait_until_known)
    return endpoint, secret


def check_url(url: str) -> None:
    """Refuse what can be no endpoint; where its name leads is looked at when it is connected to.

    Raises:
        InvalidEndpointError: See the message.
    """
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        raise InvalidEndpointError("Give an address such as https://app.example.com/events.")
    if parts.scheme not in {"https", "http"} or " " in url:
        raise InvalidEndpointError("Give an https address.")
    if "@" in parts.netloc or parts.fragment:
        raise InvalidEndpointError("Give an address without user name, password and fragment.")
    _refuse_address(parts.scheme, parts.hostname or "")


def _refuse_address(scheme: str, host: str) -> None:
    """Refuse what is known already to be refused when it is connected to."""
    allowed = [ip_network(one) for one in settings.EVENT_ALLOWED_NETWORKS]
    if scheme == "http" and not allowed:
        raise InvalidEndpointError("Give an https address: no network is allowed http.")
    found = _addresses(scheme, host)
    policy = Policy(tuple(allowed))
    if found is not None and not any(policy.allows(one, scheme=scheme) for one in found):
        raise InvalidEndpointError("That address is private, or http is not allowed there.")


def _literal_address(host: str) -> str:
    """Return a host that is an IP address; "" for a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""


def _addresses(scheme: str, host: str) -> list[str] | None:
    """Return where a host lies; None for names over https, which may come to lie elsewhere."""
    if address := _literal_address(host):
        return [address]
    if f".{host.rstrip('.')}".endswith(".localhost"):  # RFC 6761, section 6.3.
        return ["127.0.0.1", "::1"]
    if scheme == "https":
        return None
    try:
        return [str(one[4][0]) for one in getaddrinfo(host, None, type=SOCK_STREAM)]
    except OSError:
        return []


def disable(endpoint: Endpoint, *, reason: str, origin: Origin) -> bool:
    """Send nothing more to an endpoint, and write nothing more for it; what is pending stays.

    Returns:
        Whether it was enabled.
    """
    now = clock.now()
    with transaction.atomic():
        rows = Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
        if not rows.update(disabled_at=now, disabled_reason=reason):
            return False
        _record(Action.EVENT_ENDPOINT_DISABLED, endpoint, origin, reason=reason)
    return True


def enable(endpoint: Endpoint, *, reason: str, origin: Origin) -> bool:
    """Send again; what happened meanwhile was not written for it.

    Returns:
        Whether it was disabled.
    """
    with transaction.atomic():
        rows = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=False)
        again = {"disabled_at": None, "disabled_reason": "", "faults": 0, "blocked_until": None}
        if not rows.update(**again):
            return False
        _record(Action.EVENT_ENDPOINT_ENABLED, endpoint, origin, reason=reason)
        transaction.on_commit(wait_until_known)
    return True


def rotate_secret(endpoint: Endpoint, *, origin: Origin, force: bool = False) -> str:
    """Give an endpoint a new secret; the old one signs beside it for 24 h.

    Args:
        endpoint: As it was just read.
        force: Whether a secret that by then signed beside the present one may be dropped for it.

    Returns:
        The new secret, which nobody can see again.

    Raises:
        StillRotatingError: There is such a secret, and it is not forced, or is another one by now.
    """
    secret = new_secret()
    with transaction.atomic():
        row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        is_known = row.old_secret_until == endpoint.old_secret_until
        if row.two_sign_until and not (force and is_known):
            raise StillRotatingError(row.two_sign_until)
        row.sealed_old_secret = row.sealed_secret
        row.old_secret_until = clock.now() + OLD_SECRET_LIFE
        row.sealed_secret = sealed_secret(row, secret)
        row.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
        _record(Action.EVENT_SECRET_ROTATED, endpoint, origin, forced=force)
    return secret


def write_test(endpoint: Endpoint) -> UUID:
    """Write an event of type `endpoint.test` for one endpoint alone.

    Returns:
        The id of its delivery, which is due.
    """
    only = Audience({endpoint.pk: frozenset()}, has_readers=False)
    with transaction.atomic():
        data = {"actor": ActorType.OPERATOR.value, "trace_id": current_trace_id()}
        outbox.write([Fact(type=EventType.TEST, data=data)], only)
        newest = Delivery.pending().filter(endpoint=endpoint, event__type=EventType.TEST)
        found: UUID = newest.order_by("-sequence").values_list("pk", flat=True)[0]
    return found


def _record(action: Action, endpoint: Endpoint, origin: Origin, **more: Any) -> None:
    reason = more.pop("reason", "")
    record(
        action,
        origin=origin,
        subject_type="events.endpoint",
        subject_id=endpoint.pk,
        subject_owner_id=None,
        reason=reason,
        details=more,
    )
