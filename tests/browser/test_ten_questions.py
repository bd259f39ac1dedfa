"""The ten questions of a night in docs/operating.md, each answered within its clicks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from rest_framework.test import APIClient

from audit.events import ActorType, Interface
from audit.models import AuditEvent
from audit.record import Origin
from connections_project.identity.models import User
from connections_project.metrics.tables import refresh
from connections_project.operations.bulk_jobs import start, store_selection
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import DisconnectOptions
from connections_project.revocation.models import Circuit, RevocationJob
from providers.models import Connection
from tests.admin.conftest import operator, platforms, use_platforms
from tests.browser.test_admin import shown
from tests.support.admin_data import arrange
from tests.support.admin_pages import job_of
from tests.support.bank import Bank, connect
from tests.support.browser_pages import Watched
from tests.support.provider_rows import connection_of

__all__ = ["operator", "platforms", "use_platforms"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OPERATING = Path("docs/operating.md").read_text(encoding="utf-8")
WHY = "Breach at the bank, incident 4711"


@dataclass
class Night:
    """What an operator has before the eyes, and what there is to be found."""

    page: Page
    owner: User
    ended: Connection
    lost: Connection
    job: RevocationJob
    clicks: int = 0

    def click(self, name: str, role: Any = "link", within: str = "body") -> None:
        self.clicks += 1
        self.page.locator(within).get_by_role(role, name=name).first.click()

    def menu(self, name: str) -> None:
        self.click(name, within="#strip")

    def saved(self, name: str) -> None:
        self.click(name, within=".saved-filters")

    def search(self, words: str) -> None:
        """Type, and press Enter."""
        self.page.get_by_label("Search").fill(words)
        self.page.keyboard.press("Enter")

    def sees(self, *words: str) -> None:
        for each in words:
            expect(self.page.locator("#content")).to_contain_text(each)


def what_needs_attention(night: Night) -> None:
    night.sees("Monzo is suspended", "users have to connect again", "Audit log sealed until")


def a_persons_connections(night: Night) -> None:
    night.menu("Users")
    night.search("own")
    night.click("owner@example.com", within="#result_list")
    night.sees("Providers: 2", "disconnected 1", "expired 1", "revoked there")


def who_ended_it_and_why(night: Night) -> None:
    night.menu("Providers")
    night.search(str(night.ended.pk)[:23])
    night.click(shown(night.ended))
    night.sees("connection_force_disconnected by operator operator@example.com", WHY)


def what_operators_did(night: Night) -> None:
    night.menu("Audit")
    night.saved("By operators")
    night.sees("connection_force_disconnected", "operator@example.com", WHY)


def what_a_trace_id_was(night: Night) -> None:
    trace = AuditEvent.objects.filter(subject_id=night.ended.pk).latest("id").trace_id
    night.menu("Audit")
    night.search(trace)
    night.sees("provider_disconnected", "connection_force_disconnected", WHY)


def which_revocations_wait(night: Night) -> None:
    night.menu("Revocations")
    night.saved("Waiting")
    night.sees("waiting", "Bank", "still_alive")


def try_one_now(night: Night) -> None:
    night.menu("Revocations")
    night.search(str(night.job.pk))
    night.click(shown(night.job))
    night.click("Retry now")
    night.sees("Bank has failed again and again", "choose Probe now")


def what_a_suspension_stops(night: Night) -> None:
    night.menu("Platforms")
    night.sees("revocations wait until")
    night.click("Suspend Bank")
    night.sees("live connection", "Type the platform's name, Bank")


def how_far_the_bulk_job_is(night: Night) -> None:
    night.menu("Bulk jobs")
    night.click("…", within="#result_list")
    night.sees("1 of 1 done (100 %)", WHY)


def who_has_to_connect_again(night: Night) -> None:
    night.menu("Providers")
    night.saved("The grant has run out")
    night.sees(night.lost.platform_account_name)
    with night.page.expect_download() as download:
        night.click("CSV")
    exported = Path(download.value.path()).read_text(encoding="utf-8")
    assert str(night.lost.pk) in exported
    assert str(night.lost.user_id) in exported


QUESTIONS: dict[str, tuple[int, Callable[[Night], None]]] = {
    "What needs attention now?": (0, what_needs_attention),
    "What has this person connected, and are the tokens dead?": (2, a_persons_connections),
    "Who ended this connection, and why?": (2, who_ended_it_and_why),
    "What have operators done in the admin?": (2, what_operators_did),
    "A user reports a trace id: what was it?": (1, what_a_trace_id_was),
    "Which revocations wait, where, and why?": (2, which_revocations_wait),
    "When is this one tried next, and can it be now?": (3, try_one_now),
    "Is a platform in trouble, and what would suspending it stop?": (2, what_a_suspension_stops),
    "How far is the forced disconnect of many?": (2, how_far_the_bulk_job_is),
    "Who has to connect again, as a file?": (3, who_has_to_connect_again),
}


@pytest.fixture
def night(watched: Watched, operator: User, owner: User, platforms: Bank, api: APIClient) -> Night:
    origin = Origin(ActorType.OPERATOR, operator.pk, Interface.ADMIN)
    arrange(operator)
    ended = connect(api)
    force_disconnect("providers", Connection.objects.filter(pk=ended.pk), DisconnectOptions(WHY),
                     origin=origin)  # fmt: skip
    lost = connection_of(owner, status="expired", account_id="customer-lost")
    lost.need_attention("grant_expired", now=timezone.now())
    lost.save()
    failed = Connection.objects.filter(status="failed", provider_slug="bank").first()
    job = job_of(failed or lost, last_error="still_alive", verification="still_alive")
    Circuit.objects.create(
        platform="bank", faults=5, blocked_until=timezone.now() + timedelta(minutes=4)
    )
    one = Connection.objects.filter(status="active").exclude(provider_slug="bank")[:1]
    chosen = Connection.objects.filter(pk__in=[row.pk for row in one])
    start(store_selection("providers", chosen, origin=origin), DisconnectOptions(WHY))
    refresh()
    watched.sign_in(operator)
    return Night(watched.page, owner, ended, lost, job)


def test_each_is_answered_within_three_clicks(night: Night) -> None:
    for question, (clicks, answer) in QUESTIONS.items():
        assert f"| {question} | {clicks} |" in OPERATING
        assert clicks <= 3
        night.page.goto("/admin/")
        night.clicks = 0
        answer(night)
        assert night.clicks == clicks, question
