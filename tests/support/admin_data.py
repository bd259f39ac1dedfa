"""A admin with something to see: connections in every state, jobs, and two weeks of audit."""

import random
from datetime import datetime, timedelta

from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.platforms.models import Suspension
from providers.models import Connection
from tests.support.admin_pages import job_of
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

PEOPLE = ("ada", "grace", "edsger", "barbara", "donald", "radia", "alan", "katherine")
STATES = ("active", "active", "active", "active", "expired", "revoked", "failed", "disconnected")


def arrange(operator: User) -> Connection:
    """Fill the tables; give one connection that is sound."""
    people = [User.objects.create_user(f"{name}@example.com") for name in PEOPLE]
    # The same scenery each time, so that screenshots differ by what was changed.
    chance = random.Random(7)
    rows = [
        connection_of(
            chance.choice(people),
            slug=chance.choice(("bank", "schwab", "monzo", "coinbase")),
            status=chance.choice(STATES),
            account_id=f"customer-{number}",
            last_sync_at=timezone.now() - timedelta(minutes=chance.randrange(3000)),
        )
        for number in range(40)
    ]
    for row in rows:
        if row.status == "disconnected":
            job_of(row, chance.choice(("revoked", "revoked", "abandoned", "pending")))
    for person in people[:3]:
        channel = channel_of(person, channel="x", account_id=person.email)
        schedule_of(channel)
        account_of(person.own_team, platform="threads", account_id=person.email, granted_by=None)
    Suspension.objects.create(
        slug="monzo",
        reason="Their token endpoint leaks, see incident 4711",
        suspended_at=timezone.now() - timedelta(minutes=12),
        suspended_by=operator.pk,
    )
    _two_weeks(chance)
    return next(row for row in rows if row.status == "active" and row.provider_slug == "bank")


def _two_weeks(chance: random.Random) -> None:
    actions = ((Action.PROVIDER_CONNECTED, 40), (Action.CHANNEL_DISCONNECTED, 25),
               (Action.ACCOUNT_TOKEN_REFRESH_FAILED, 8))  # fmt: skip
    origin = Origin(ActorType.SYSTEM, None, Interface.WORKER)
    for number in range(14):
        day = timezone.now() - timedelta(days=number)
        for action, most in actions:
            _happened(action, day, chance.randrange(most // 3, most), origin)


def _happened(action: Action, day: datetime, times: int, origin: Origin) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(
            occurred_at=day,
            action=action,
            outcome="success",
            actor_type=origin.actor_type,
            interface=origin.interface,
            subject_type="scenery",
            trace_id="",
        )
        for _ in range(times)
    )
