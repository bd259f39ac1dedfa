"""A receipt speaks of the tokens that a connection had when it was ended, and of no others."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.events import Interface
from audit.models import AuditEvent
from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.operations.replay_history import ReplayHistory, Way
from connections_project.revocation.attempts import record_ends
from connections_project.revocation.models import JobState, RevocationJob
from connections_project.revocation.operate import give_up
from connections_project.revocation.release import revoke_unstored
from tests.operations.conftest import account_of_user, origin, platforms, use_platforms
from tests.platforms.recorded.platform import tried_again
from tests.receipts.conftest import claims_of, state
from tests.support import gallery
from tests.support.bank import Bank
from tests.support.disconnects import disconnect_one
from tests.support.platform_server import Answer
from tests.support.provider_rows import TOKENS, connection_of

__all__ = ["origin", "platforms", "use_platforms"]

pytestmark = pytest.mark.django_db


def others(row: OAuthConnection, origin: Origin) -> RevocationJob:
    """Have tokens revoked that a row has had, or that came late; the platform is not asked yet."""
    revoke_unstored(row.token_bundle(), origin=origin)
    return RevocationJob.objects.get(replaced_or_late=True)


def are_gone(job: RevocationJob) -> None:
    RevocationJob.objects.filter(pk=job.pk).delete()
    record_ends([job], JobState.REVOKED, interface=Interface.WORKER)


def said(api: APIClient, row: OAuthConnection) -> tuple[str, int]:
    revocation = claims_of(api, row)["revocation"]
    return revocation["state"], revocation["attempts"]


@pytest.mark.parametrize("make", [connection_of, account_of_user])
@pytest.mark.parametrize("is_late", [False, True])
def test_tokens_that_were_left_alone_are_not_revoked_by_others(
    api: APIClient,
    owner: User,
    platforms: Bank,
    origin: Origin,
    make: Callable[[User], Any],
    is_late: bool,
) -> None:
    row = make(owner)
    job = None if is_late else others(row, origin)
    bundle = row.token_bundle()
    disconnect_one(row, origin=origin, revoke=False)
    if job is None:
        revoke_unstored(bundle, origin=origin)
        job = RevocationJob.objects.get()
    assert said(api, row) == ("not_requested", 0)
    are_gone(job)
    assert said(api, row) == ("not_requested", 0)
    told = AuditEvent.objects.get(action="token_revoked")
    assert told.details["replaced_or_late"] is True


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_of_one_that_had_none_those_that_came_late_are_told(
    api: APIClient, owner: User, platforms: Bank, origin: Origin, status: str
) -> None:
    row = connection_of(owner, status=status)
    bundle = row.token_bundle(TOKENS)
    disconnect_one(row, origin=origin)
    revoke_unstored(bundle, origin=origin)
    job = RevocationJob.objects.get()
    assert state(api, row) == "pending"
    are_gone(job)
    assert state(api, row) == "revoked"


def test_one_of_all_that_is_still_to_be_revoked_is_pending(
    api: APIClient, owner: User, platforms: Bank, origin: Origin
) -> None:
    row = connection_of(owner)
    other = others(row, origin)
    disconnect_one(row, origin=origin)
    own = RevocationJob.objects.get(replaced_or_late=False)
    are_gone(own)
    assert state(api, row) == "pending"
    give_up([other.pk], reason="no way", origin=origin)
    assert state(api, row) == "abandoned"


def test_the_own_ones_come_first(
    api: APIClient, owner: User, platforms: Bank, origin: Origin
) -> None:
    row = connection_of(owner)
    other = others(row, origin)
    disconnect_one(row, origin=origin)
    are_gone(other)
    assert state(api, row) == "pending"
    own = RevocationJob.objects.get()
    record_ends([own], JobState.SHARED_GRANT, interface=Interface.WORKER)
    RevocationJob.objects.all().delete()
    assert state(api, row) == "shared_grant"


def test_a_replay_takes_others_for_no_revocation() -> None:
    history = ReplayHistory()
    common = {"subject_type": "social.connection", "details": {}}
    ended = {"action": "account_disconnected", "occurred_at": "2026-01-01T00:00:00+00:00"}
    history.add_event({**ended, **common})
    gone = {"action": "token_revoked", "occurred_at": "2026-01-01T00:00:01+00:00"}
    history.add_event({**gone, **common})
    assert history.way == Way("social", revokes=False)


def test_an_earlier_ending_tells_nothing_of_a_later_one(
    transactional_db: None, api: APIClient, platforms: Bank
) -> None:
    made = gallery.Gallery(platforms.server)
    made.open()
    made.server.on("POST", "/revoke", Answer(503))
    (row,) = gallery.connect(api)
    disconnect_one(row, erase_tokens=True)
    assert state(api, row) == "pending"
    (row,) = gallery.connect(api)
    disconnect_one(row)
    assert state(api, row) == "not_requested"
    made.open()
    assert tried_again() == ["revoked"]
    assert state(api, row) == "not_requested"
