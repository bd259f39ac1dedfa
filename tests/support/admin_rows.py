"""Rows of the admin's models, in states in which something can be done with them."""

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone

from audit.models import AuditEvent
from connections_project.events import endpoints
from connections_project.events.models import Delivery, OutgoingEvent
from connections_project.events.types import EventType
from connections_project.identity.keys import create_key
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.bulk_jobs import store_selection
from connections_project.platforms.models import Suspension
from connections_project.revocation.models import Circuit
from providers.models import Account, Connection, Transaction
from tests.support.admin_pages import job_of
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

Rows = dict[str, list[Model]]


def admin_rows(owner: User, operator: User, *, endpoint_url: str) -> Rows:
    """Make rows of every model, and return them by the model's label.

    They need a bank, a chirp and a gallery in the catalogue.
    """
    made: Rows = {}
    rows = (_people, _connections, _channels, _accounts, _jobs, _suspensions)
    for row in (one for make in rows for one in make(owner, operator)):
        made.setdefault(row._meta.label, []).append(row)
    for row in _endpoints(endpoint_url):
        made.setdefault(row._meta.label, []).append(row)
    made["audit.AuditEvent"] = list(AuditEvent.objects.all()[:1])
    return made


def _people(owner: User, _: User) -> Iterator[Model]:
    gone = User.objects.create_user("gone@example.com", is_active=False)
    yield from (owner, gone, owner.own_team, Group.objects.get(name="Auditors"))
    scopes = ["social:read"]
    yield create_key(team=owner.own_team, scopes=scopes, origin=command_origin(None)).key


def _connections(owner: User, _: User) -> Iterator[Model]:
    row, now = connection_of(owner), timezone.now()
    times = {"created_at": now, "updated_at": now}
    account = Account.objects.create(connection=row, platform_account_id="a-1", **times)
    yield from (row, account)
    yield Transaction.objects.create(
        account=account, platform_transaction_id="t-1", posted_at=now, amount=1
    )


def _channels(owner: User, _: User) -> Iterator[Model]:
    row, now = channel_of(owner), timezone.now()
    yield from (row, schedule_of(row))
    yield channel_of(owner, status="disconnected", account_id="over", deleted_at=now)
    yield row.publish_events.create(outcome="failed", error_code="refused", occurred_at=now)


def _accounts(owner: User, _: User) -> Iterator[Model]:
    yield account_of(owner.own_team)


def _jobs(owner: User, operator: User) -> Iterator[Model]:
    over = connection_of(owner, status="disconnected", account_id="over")
    held_up = channel_of(owner, status="disconnected", account_id="held up")
    yield from (job_of(over), job_of(held_up))
    until = timezone.now() + timedelta(minutes=1)
    Circuit.objects.create(platform=held_up.channel, faults=5, blocked_until=until)
    live = Connection.objects.all()
    yield store_selection("providers", live, origin=command_origin(operator))


def _suspensions(_: User, operator: User) -> Iterator[Model]:
    at = timezone.now()
    yield Suspension.objects.create(
        slug="chirp", reason="a leak", suspended_at=at, suspended_by=operator.pk
    )
    # The page suspends what has no row yet.
    yield Suspension(slug="bank")


def outgoing_events(number: int) -> None:
    """Write events of which no endpoint was told."""
    now = timezone.now()
    OutgoingEvent.objects.bulk_create(
        OutgoingEvent(
            sequence=int(now.timestamp() * 1_000_000) + one,
            type=EventType.CONNECTED,
            occurred_at=now,
            data="{}",
        )
        for one in range(number)
    )


def _endpoints(url: str) -> Iterator[Model]:
    origin = command_origin(None)
    disabled, _ = endpoints.create(url=url, origin=origin)
    endpoints.disable(disabled, reason="moved", origin=origin)
    enabled, _ = endpoints.create(url=url, origin=origin)
    yield from (enabled, disabled)
    endpoints.write_test(enabled)
    outgoing_events(3)
    yield from Delivery.objects.all()
