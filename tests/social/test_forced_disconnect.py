"""The verb as operators use it: revoke, erase, neither, both."""

from typing import Any

import pytest

from connections_project.identity.models import Team
from connections_project.revocation.models import GrantHold, RevocationJob
from tests.conftest import UseCatalogue
from tests.support.disconnects import disconnect_one
from tests.support.gallery import Gallery, pending_tokens
from tests.support.provider_rows import events
from tests.support.social_rows import account_of


@pytest.mark.parametrize(
    ("how", "decision", "kept"),
    [
        ({}, "not_requested", True),
        ({"revoke": False}, "not_requested", True),
        ({"revoke": False, "erase_tokens": True}, "not_requested", False),
        ({"erase_tokens": True}, "pending", False),
    ],
)
def test_the_last_of_a_grant(
    team: Team, gallery: Gallery, how: dict[str, Any], decision: str, kept: bool
) -> None:
    row = account_of(team)
    assert disconnect_one(row, **how) == decision
    row.refresh_from_db()
    assert not row.is_active
    assert (row.auth_state is not None) is kept
    # With the job, or with nothing: no second copy stays behind in the row.
    assert pending_tokens() == (["access-0"] if decision == "pending" else [])
    assert len(events("account_tokens_erased")) == (0 if kept else 1)
    assert len(events("account_disconnected")) == 1
    skipped = [event.details["result"] for event in events("token_revocation_skipped")]
    assert skipped == ([] if decision == "pending" else [decision])
    assert not GrantHold.objects.exists()


def test_one_of_several_on_a_grant(team: Team, gallery: Gallery) -> None:
    row, _ = account_of(team), account_of(team, account_id="8")
    assert disconnect_one(row, erase_tokens=True) == "shared_grant"
    row.refresh_from_db()
    assert row.auth_state is None
    assert not RevocationJob.objects.exists()
    assert events("token_revocation_skipped")[0].details["result"] == "shared_grant"


def test_an_inactive_account_holds_no_grant(team: Team, gallery: Gallery) -> None:
    first, last = account_of(team), account_of(team, account_id="8")
    disconnect_one(first)
    assert disconnect_one(last, erase_tokens=True) == "pending"


def test_erasure_works_without_revocation_too(
    team: Team, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue().partition("[social.gallery.revocation]")[0], "gallery")
    row = account_of(team)
    assert disconnect_one(row, erase_tokens=True) == "not_supported"
    row.refresh_from_db()
    assert row.auth_state is None
