"""What is announced is what happens: the blast radius, and the forced disconnect that follows."""

from typing import Any

import pytest
from django.db.models import Q

from audit.record import Origin
from channels.models import ChannelConnection
from connections_project.identity.models import User
from connections_project.operations.blast_radius import blast_radius
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import BlastRadius, DisconnectOptions
from providers.models import Connection
from social.models import SocialAccount
from tests.operations.conftest import WHY, UsePlatforms, account_of_user
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


def test_nothing_is_nothing(platforms: object) -> None:
    nothing = BlastRadius(0, 0, {}, 0, 0, 0)
    for app in ("providers", "channels", "social"):
        assert blast_radius(app, []) == nothing


def test_it_counts_connections_owners_and_platforms(
    owner: User, outsider: User, use_platforms: UsePlatforms
) -> None:
    use_platforms("token")
    connection_of(owner, account_id="a")
    connection_of(owner, account_id="b", status="expired")
    connection_of(outsider, account_id="c", status="failed")
    connection_of(outsider, slug="schwab", status="pending")
    connection_of(owner, status="disconnected")
    assert blast_radius("providers", Connection.objects.all()) == BlastRadius(
        connections=4,
        owners=2,
        platforms={"bank": 3, "schwab": 1},
        active_schedules=0,
        grant_siblings=0,
        # The one that failed has nothing to revoke.
        revocations=2,
    )


def test_it_takes_ids_as_well(owner: User, platforms: object) -> None:
    rows = [connection_of(owner, account_id=str(number)) for number in range(3)]
    assert blast_radius("providers", [row.pk for row in rows[:2]]).connections == 2


def test_no_revocation_where_none_is_asked_for(owner: User, platforms: object) -> None:
    row = connection_of(owner)
    assert blast_radius("providers", [row.pk], revoke=False).revocations == 0


def test_it_counts_what_is_still_to_be_published(owner: User, platforms: object) -> None:
    row, other = channel_of(owner, account_id="a"), channel_of(owner, account_id="b")
    for status in ("pending", "queued", "publishing", "published", "failed", "cancelled"):
        states = {"published": "published_at", "cancelled": "cancelled_at"}
        moment = {states[status]: row.created_at} if status in states else {}
        leased = {"queued", "publishing"}
        lease = {"lease": owner.pk, "leased_until": row.created_at} if status in leased else {}
        schedule_of(row, status=status, **moment, **lease)
    schedule_of(other)
    assert blast_radius("channels", [row.pk]).active_schedules == 2


def test_siblings_are_those_that_stay_on_the_grant(
    owner: User, outsider: User, operator: User, use_platforms: UsePlatforms
) -> None:
    use_platforms("grant")
    here = connection_of(owner)
    connection_of(outsider)
    channel_of(operator)
    connection_of(operator, account_id="somebody else")
    found = blast_radius("providers", [here.pk])
    assert (found.grant_siblings, found.revocations) == (2, 0)
    everybody = blast_radius("providers", Connection.objects.all())
    assert (everybody.grant_siblings, everybody.revocations) == (1, 1)


def test_social_tokens_stay_unless_erasure_is_asked(owner: User, platforms: object) -> None:
    account_of_user(owner, account_id="live")
    account_of_user(owner, account_id="kept", status="disconnected")
    rows = SocialAccount.objects.all()
    plain = blast_radius("social", rows)
    assert (plain.connections, plain.revocations) == (1, 0)
    erasing = blast_radius("social", rows, erase_tokens=True)
    assert (erasing.connections, erasing.revocations) == (2, 2)


def a_mixture(owner: User, outsider: User, operator: User) -> None:
    """Make rows in all statuses, on shared, own and unknown grants, in all apps."""
    for user in (owner, outsider, operator):
        connection_of(user, account_id="shared")
        channel_of(user, account_id="of channels")
        account_of_user(user, account_id="of pages")
    connection_of(owner, account_id="shared with a channel")
    channel_of(owner, account_id="shared with a channel")
    connection_of(owner, account_id=None)
    connection_of(outsider, account_id=None, status="expired")
    for number, status in enumerate(("pending", "expired", "revoked", "failed", "disconnected")):
        connection_of(owner, account_id=str(number), status=status)
    channel_of(outsider, account_id="dead", status="error")
    account_of_user(owner, account_id="dead", status="revoked")
    account_of_user(owner, account_id="kept", status="disconnected")


MODELS: dict[str, Any] = {
    "providers": Connection,
    "channels": ChannelConnection,
    "social": SocialAccount,
}


@pytest.mark.parametrize("radius", ["token", "grant", "client"])
@pytest.mark.parametrize("app", list(MODELS))
@pytest.mark.parametrize("whose", ["all", "without the operator's"])
@pytest.mark.parametrize(
    "options", [WHY, DisconnectOptions("x", erase_tokens=True), DisconnectOptions("x", False)]
)
def test_what_is_announced_is_what_happens(
    owner: User,
    outsider: User,
    operator: User,
    origin: Origin,
    use_platforms: UsePlatforms,
    radius: str,
    app: str,
    whose: str,
    options: DisconnectOptions,
) -> None:
    use_platforms(radius)
    a_mixture(owner, outsider, operator)
    column = "team__owner" if app == "social" else "user"
    selections = {
        "all": Q(),
        "without the operator's": ~Q(**{column: operator}),
    }
    rows = MODELS[app].objects.filter(selections[whose])
    announced = blast_radius(app, rows, revoke=options.revoke, erase_tokens=options.erase_tokens)
    result = force_disconnect(app, rows, options, origin=origin)
    assert (announced.connections, announced.revocations) == (
        result.disconnected,
        result.revocations,
    )
    assert not result.failures
    again = blast_radius(app, rows, revoke=options.revoke, erase_tokens=options.erase_tokens)
    assert again.connections == 0


@pytest.mark.parametrize(("app", "budget"), [("providers", 5), ("channels", 6), ("social", 5)])
def test_it_takes_few_queries_however_many_there_are(
    owner: User,
    use_platforms: UsePlatforms,
    django_assert_max_num_queries: Any,
    app: str,
    budget: int,
) -> None:
    use_platforms("grant")
    make = {"providers": connection_of, "channels": channel_of, "social": account_of_user}[app]
    for number in range(20):
        make(owner, account_id=str(number))
    with django_assert_max_num_queries(budget):
        found = blast_radius(app, MODELS[app].objects.all(), erase_tokens=True)
    assert (found.connections, found.revocations) == (20, 20)
