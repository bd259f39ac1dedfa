"""That tokens are gone which a connection had before is no news of the connection."""

import pytest

from audit.events import Interface
from connections_project.events.models import OutgoingEvent
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.revocation.attempts import record_ends
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.release import revoke_unstored
from tests.support.bank import Bank
from tests.support.event_receiver import Receiver
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("of_others", "number"), [(True, 0), (False, 1)])
def test_only_the_connections_own_are_told(
    world: Bank, receiver: Receiver, owner: User, of_others: bool, number: int
) -> None:
    revoke_unstored(connection_of(owner).token_bundle(), origin=command_origin(None))
    job = RevocationJob.objects.get()
    job.replaced_or_late = of_others
    record_ends([job], JobState.REVOKED, interface=Interface.WORKER)
    assert OutgoingEvent.objects.filter(type="revocation.succeeded").count() == number
