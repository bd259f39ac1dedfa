"""Shared grants in bulk: the last one of a grant is revoked, exactly once."""

import pytest

from audit.record import Origin
from connections_project.connections.models import OAuthConnection
from connections_project.identity.models import User
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions
from connections_project.revocation.models import GrantHold, RevocationJob
from social.models import SocialAccount
from tests.operations.conftest import (
    WHY,
    UsePlatforms,
    account_of_user,
    history_of,
    jobs_of,
)
from tests.support.channel_rows import channel_of
from tests.support.provider_rows import connection_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _revoking_ends_the_grant(use_platforms: UsePlatforms) -> None:
    use_platforms("grant")


def decisions(*rows: OAuthConnection) -> list[str]:
    return [
        details["revocation"]
        for row in rows
        for action, _, details in history_of(row)
        if "disconnected" in action.lower() and "revocation" in details
    ]


def test_not_the_last_of_a_grant_no_job(owner: User, outsider: User, origin: Origin) -> None:
    leaves, stays = connection_of(owner), connection_of(outsider)
    result = force_disconnect("providers", [leaves.pk], WHY, origin=origin)
    assert (result.disconnected, result.revocations) == (1, 0)
    assert decisions(leaves) == ["shared_grant"]
    assert list(GrantHold.objects.values_list("connection_id", flat=True)) == [stays.pk]


def test_all_of_a_grant_together_exactly_one_job(
    owner: User, outsider: User, origin: Origin
) -> None:
    first, last = connection_of(owner), connection_of(outsider)
    result = force_disconnect("providers", [last.pk, first.pk], WHY, origin=origin)
    assert (result.disconnected, result.revocations) == (2, 1)
    assert decisions(first, last) == ["shared_grant", "pending"]
    assert [job.connection_id for job in RevocationJob.objects.all()] == [last.pk]


def test_in_batches_of_one_it_is_the_last_batchs(
    owner: User, outsider: User, origin: Origin
) -> None:
    first, last = connection_of(owner), connection_of(outsider)
    ids = [first.pk, last.pk]
    result = force_disconnect("providers", ids, WHY, origin=origin, batch_size=1)
    assert (result.disconnected, result.revocations) == (2, 1)
    assert decisions(first, last) == ["shared_grant", "pending"]


def test_the_live_ones_token_is_revoked(owner: User, outsider: User, origin: Origin) -> None:
    live, dead = connection_of(owner), connection_of(outsider, status="expired")
    result = force_disconnect("providers", [live.pk, dead.pk], WHY, origin=origin)
    assert result.revocations == 1
    assert [job.connection_id for job in jobs_of(live, dead)] == [live.pk]


def test_each_grant_is_looked_at_by_itself(owner: User, outsider: User, origin: Origin) -> None:
    alone = connection_of(owner, account_id="alone")
    pair = [connection_of(user, account_id="pair") for user in (owner, outsider)]
    shared, stays = (connection_of(user, account_id="shared") for user in (owner, outsider))
    ids = [alone.pk, *(row.pk for row in pair), shared.pk]
    result = force_disconnect("providers", ids, WHY, origin=origin)
    assert (result.disconnected, result.revocations) == (4, 2)
    assert decisions(alone, *pair, shared) == [
        "pending",
        "shared_grant",
        "pending",
        "shared_grant",
    ]
    assert GrantHold.objects.get().connection_id == stays.pk


def test_a_sibling_in_another_app_keeps_the_grant(
    owner: User, outsider: User, origin: Origin
) -> None:
    # The platforms stand on one server and know us by one client id, so the grant is the same.
    provider, channel = connection_of(owner), channel_of(outsider)
    assert provider.grant == channel.grant
    assert force_disconnect("providers", [provider.pk], WHY, origin=origin).revocations == 0
    assert force_disconnect("channels", [channel.pk], WHY, origin=origin).revocations == 1


def test_an_unknown_holder_waits_for_the_whole_client(
    owner: User, outsider: User, origin: Origin
) -> None:
    unknown = connection_of(owner, account_id=None)
    known = connection_of(outsider)
    result = force_disconnect("providers", [unknown.pk], WHY, origin=origin)
    assert result.revocations == 0
    assert decisions(unknown) == ["shared_grant"]
    another = connection_of(owner, account_id=None)
    result = force_disconnect("providers", [another.pk, known.pk], WHY, origin=origin)
    assert result.revocations == 2


def test_without_revoking_the_holders_are_removed(
    owner: User, outsider: User, origin: Origin
) -> None:
    rows = [connection_of(owner), connection_of(outsider)]
    options = DisconnectOptions("rotating the client", revoke=False)
    result = force_disconnect("providers", [row.pk for row in rows], options, origin=origin)
    assert (result.disconnected, result.revocations) == (2, 0)
    assert decisions(*rows) == ["not_requested", "not_requested"]
    assert not GrantHold.objects.exists()


class TestAccountsWithOneSetOfTokens:
    """Social accounts of one grant may live on the very same tokens, whatever the platform says."""

    ERASE = DisconnectOptions("breach", erase_tokens=True)

    @pytest.fixture(autouse=True)
    def _revoking_ends_one_token(self, use_platforms: UsePlatforms) -> None:
        use_platforms("token")

    def test_one_that_leaves_keeps_the_other_alive(
        self, owner: User, outsider: User, origin: Origin
    ) -> None:
        leaves, stays = self.pair(owner, outsider)
        result = force_disconnect("social", [leaves.pk], self.ERASE, origin=origin)
        assert (result.disconnected, result.revocations) == (1, 0)
        assert ("token_revocation_skipped", "success") in [one[:2] for one in history_of(leaves)]
        leaves.refresh_from_db()
        stays.refresh_from_db()
        assert (leaves.auth_state, stays.is_active) == (None, True)

    def test_both_together_are_revoked_once(
        self, owner: User, outsider: User, origin: Origin
    ) -> None:
        pair = self.pair(owner, outsider)
        keys = [row.pk for row in pair]
        result = force_disconnect("social", keys, self.ERASE, origin=origin)
        assert (result.disconnected, result.revocations) == (2, 1)
        assert RevocationJob.objects.get().connection_id == max(keys)

    def test_a_dead_sibling_is_no_reason_to_keep_them(
        self, owner: User, outsider: User, origin: Origin
    ) -> None:
        leaves, dead = self.pair(owner, outsider)
        GrantHold.objects.filter(connection_id=dead.pk).delete()
        result = force_disconnect("social", [leaves.pk], self.ERASE, origin=origin)
        assert result.revocations == 1

    def pair(self, owner: User, outsider: User) -> list[SocialAccount]:
        token_set = owner.pk
        return [
            account_of_user(user, account_id=user.email, token_set=token_set)
            for user in (owner, outsider)
        ]
