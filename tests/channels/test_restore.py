"""An operator can bring a soft-deleted channel back to sight, never its tokens."""

from uuid import uuid4

import pytest

from channels.disconnect import disconnect_own
from channels.models import ChannelConnection
from channels.restore import restore
from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from tests.support.channel_rows import channel_of
from tests.support.chirp import Chirp
from tests.support.provider_rows import events


@pytest.fixture
def deleted(owner: User, chirp: Chirp) -> ChannelConnection:
    origin = command_origin(owner)
    row = channel_of(owner)
    disconnect_own(connection_id=row.pk, user=owner, soft_delete=True, origin=origin)
    row.refresh_from_db()
    return row


def test_a_restored_channel_stays_disconnected(deleted: ChannelConnection, operator: User) -> None:
    origin = command_origin(operator)
    assert restore(connection_id=deleted.pk, reason="asked by its owner", origin=origin)

    row = ChannelConnection.objects.visible().get()
    assert (row.status, row.auth_state) == ("disconnected", None)
    assert row.disconnected_at == deleted.disconnected_at


def test_a_restoration_is_audited_with_its_reason(
    deleted: ChannelConnection, operator: User
) -> None:
    restore(connection_id=deleted.pk, reason="a slip", origin=command_origin(operator))

    event = events("CHANNEL_RESTORED")[0]
    assert (event.subject_id, event.subject_owner_id) == (deleted.pk, deleted.user_id)
    assert (event.actor_id, event.actor_type) == (operator.pk, "operator")
    assert event.reason == "a slip"


def test_what_is_in_sight_is_left_alone(owner: User, chirp: Chirp, operator: User) -> None:
    row = channel_of(owner)

    assert not restore(connection_id=row.pk, origin=command_origin(operator))
    assert events("CHANNEL_RESTORED") == []


def test_an_unknown_one_is_reported(operator: User) -> None:
    with pytest.raises(ConnectionNotFoundError):
        restore(connection_id=uuid4(), origin=command_origin(operator))
