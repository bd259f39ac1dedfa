"""Kept tokens are erased after SOCIAL_TOKEN_RETENTION_DAYS, in bulk, and not a day before."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from connections_project.core.ids import uuid7
from connections_project.core.periodic import run_due
from connections_project.identity.models import Team
from connections_project.revocation.models import RevocationJob
from social import retention
from social.models import SocialAccount
from social.retention import erase_kept_too_long
from tests.conftest import UseCatalogue
from tests.support.gallery import Gallery
from tests.support.provider_rows import events
from tests.support.social_rows import account_of


def kept(team: Team, days: float, account_id: str = "7") -> SocialAccount:
    """Make an account that was disconnected so many days ago."""
    then = timezone.now() - timedelta(days=days)
    return account_of(team, status="disconnected", now=then, account_id=account_id)


def test_the_tokens_are_erased_when_their_time_is_up(team: Team, gallery: Gallery) -> None:
    old, young = kept(team, 90.01), kept(team, 89.99, "8")
    active = account_of(team, account_id="9", now=timezone.now() - timedelta(days=365))
    assert erase_kept_too_long() == 1
    old.refresh_from_db()
    assert old.auth_state is None
    assert not old.has_refresh_token
    assert (old.status, old.is_active) == ("disconnected", False)
    for row in (young, active):
        row.refresh_from_db()
        assert row.opened().access_token == "access-0"


def test_the_operator_sets_the_time(team: Team, gallery: Gallery, settings: LazySettings) -> None:
    settings.SOCIAL_TOKEN_RETENTION_DAYS = 0
    kept(team, 0)
    assert erase_kept_too_long() == 1
    assert erase_kept_too_long() == 0


@pytest.mark.django_db(transaction=True)
def test_the_erasure_is_audited_and_periodic(team: Team, gallery: Gallery) -> None:
    row = kept(team, 91)
    run_due()
    (event,) = events("account_tokens_erased")
    assert (event.subject_type, event.subject_id) == ("social.connection", row.pk)
    assert (event.subject_owner_id, event.actor_type) == (team.pk, "system")
    assert event.details == {"platform": "gallery", "cause": "retention"}


def test_many_are_erased_by_a_few_statements_a_batch(
    team: Team,
    gallery: Gallery,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 5)
    for number in range(12):
        kept(team, 91, str(number))
    # 4 batches, the last of them empty, of 5 statements with their transaction's own.
    with django_assert_max_num_queries(1 + 4 * 5):
        assert erase_kept_too_long() == 12
    assert len(events("account_tokens_erased")) == 12


def test_with_nothing_to_do_it_only_looks(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        erase_kept_too_long()


def test_an_erased_account_fails_an_earlier_reader(team: Team, gallery: Gallery) -> None:
    row = kept(team, 91)
    erase_kept_too_long()
    assert SocialAccount.objects.get().epoch > row.epoch


def test_what_came_beside_them_is_revoked_unless_another_has_it_too(
    team: Team, gallery: Gallery, use_catalogue: UseCatalogue
) -> None:
    use_catalogue(gallery.catalogue(more='adapter = "channels.adapters.discord"'), "gallery")
    shared = uuid7()
    beside = account_of(team, account_id="8", token_set=shared)
    old = [kept(team, 91), kept(team, 91, "9")]
    SocialAccount.objects.filter(pk=old[1].pk).update(token_set=shared)
    assert erase_kept_too_long() == 2
    assert beside.opened().access_token == "access-0"
    job = RevocationJob.objects.get()
    assert (job.connection_id, job.extras_only) == (old[0].pk, True)
