"""That tokens are gone which a connection had before says nothing of one that is over."""

import pytest

from audit.events import Interface
from connections_project.events.models import OutgoingEvent
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.revocation.attempts import record_ends
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.release import revoke_unstored
from tests.support.bank import Bank
from tests.support.disconnects import disconnect_one
from tests.support.event_receiver import Receiver
from tests.support.provider_rows import TOKENS, connection_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "of_others", "number"),
    [
        ("disconnected", True, 0),
        ("disconnected", False, 1),
        ("active", True, 1),
        ("never connected", True, 1),
    ],
)
def test_only_the_connections_own_are_told(
    world: Bank, receiver: Receiver, owner: User, status: str, of_others: bool, number: int
) -> None:
    row = connection_of(owner, status="pending" if status == "never connected" else "active")
    bundle = row.token_bundle(TOKENS)
    if status != "active":
        disconnect_one(row, revoke=False)
    revoke_unstored(bundle, origin=command_origin(None))
    job = RevocationJob.objects.get()
    job.replaced_or_late = of_others
    record_ends([job], JobState.REVOKED, interface=Interface.WORKER)
    assert OutgoingEvent.objects.filter(type="revocation.succeeded").count() == number
