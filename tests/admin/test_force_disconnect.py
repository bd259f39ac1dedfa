"""Forced disconnects in the admin: what would be touched is shown, a reason is asked for."""

import re

import pytest
from django.test import Client

from audit.models import AuditEvent
from channels.models import Schedule
from connections_project.identity.models import User
from connections_project.operations.admin.force import AT_ONCE
from connections_project.operations.models import BulkJob
from providers.models import Connection
from social.models import SocialAccount
from tests.conftest import UseCatalogue
from tests.support.admin_pages import CHANNELS, PROVIDERS, chosen, text_of
from tests.support.bank import Bank
from tests.support.channel_rows import channel_of, schedule_of
from tests.support.provider_rows import connection_of, events
from tests.support.social_rows import account_of

ACCOUNTS = "/admin/social/socialaccount/"

pytestmark = pytest.mark.django_db


def hidden_fields(html: str) -> dict[str, list[str]]:
    """Read the form that a confirmation shows, as a browser would send it back."""
    form = html[html.rindex('<form method="post"') :]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def rows(platforms: Bank, owner: User, outsider: User) -> list[Connection]:
    return [
        connection_of(owner, account_id="a"),
        connection_of(owner, account_id="b"),
        connection_of(outsider, account_id="c"),
    ]


def test_the_confirmation_shows_and_changes_nothing(page: Client, rows: list[Connection]) -> None:
    text = text_of(page, PROVIDERS)
    assert "Disconnect by force …" in text
    answer = page.post(PROVIDERS, chosen(*rows))
    words = " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
    for figure in (
        "connections end, for good 3",
        "owners 2",
        "revocations sent to platforms 3",
        "Bank 3",
    ):
        assert figure in words
    assert 'name="reason"' in answer.content.decode()
    assert Connection.objects.filter(status="active").count() == 3
    assert not AuditEvent.objects.exists()


def test_a_selection_is_disconnected_with_a_reason(
    page: Client, rows: list[Connection], operator: User
) -> None:
    form = hidden_fields(page.post(PROVIDERS, chosen(*rows[:2])).content.decode())
    answer = page.post(PROVIDERS, {**form, "reason": " breach "}, follow=True)
    assert "2 disconnected, 2 revocations pending" in answer.content.decode()
    assert [row.status for row in Connection.objects.order_by("pk")] == [
        "disconnected", "disconnected", "active",
    ]  # fmt: skip
    text = events("connection_force_disconnected")
    assert [(one.reason, one.actor_id, one.interface) for one in text] == [
        ("breach", operator.pk, "admin")
    ] * 2


def test_what_was_shown_goes_whatever_the_filter(page: Client, rows: list[Connection]) -> None:
    answer = page.post(f"{PROVIDERS}?status=active", chosen(*rows[:1]))
    target = re.search(r'<form method="post" action="([^"]*)"', answer.content.decode())
    assert target
    Connection.objects.filter(pk=rows[0].pk).update(status="expired")
    page.post(target[1], {**hidden_fields(answer.content.decode()), "reason": "breach"})
    assert Connection.objects.get(pk=rows[0].pk).status == "disconnected"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 513, "a\u202eb"])
def test_without_a_sound_reason_it_is_asked_for_again(
    page: Client, rows: list[Connection], reason: str
) -> None:
    for path, form in (
        (PROVIDERS, chosen(*rows)),
        (f"{PROVIDERS}{rows[0].pk}/force-disconnect/", {}),
    ):
        answer = page.post(path, {**form, "reason": reason})
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
    assert not Connection.objects.filter(status="disconnected").exists()


def test_the_longest_reason_is_kept_whole(page: Client, rows: list[Connection]) -> None:
    page.post(f"{PROVIDERS}{rows[0].pk}/force-disconnect/", {"reason": "é" * 512})
    assert events("connection_force_disconnected")[0].reason == "é" * 512


def test_one_is_disconnected_from_its_own_page(
    page: Client, rows: list[Connection], operator: User
) -> None:
    here = f"{PROVIDERS}{rows[0].pk}/"
    assert f"{here}force-disconnect/" in page.get(f"{here}change/").content.decode()
    assert "1 selected" in text_of(page, f"{here}force-disconnect/")
    answer = page.post(f"{here}force-disconnect/", {"reason": "breach"})
    assert answer["Location"] == f"{here}change/"
    text = text_of(page, f"{here}change/")
    assert f"connection_force_disconnected by operator {operator.email} through admin" in text
    assert "“breach”" in text
    assert "Disconnect by force" not in text


def test_revocation_can_be_skipped(page: Client, rows: list[Connection]) -> None:
    form = {"reason": "breach", "skip_revocation": "on"}
    page.post(f"{PROVIDERS}{rows[0].pk}/force-disconnect/", form)
    assert events("provider_disconnected")[0].details["revocation"] == "not_requested"


def test_schedules_must_be_cancelled_explicitly(page: Client, platforms: Bank, owner: User) -> None:
    row = channel_of(owner)
    schedule = schedule_of(row)
    here = f"{CHANNELS}{row.pk}/force-disconnect/"
    assert "active schedule on them 1" in text_of(page, here)
    answer = page.post(here, {"reason": "breach"}, follow=True)
    assert f"{row.pk} was left as it is" in answer.content.decode()
    row.refresh_from_db()
    assert row.status == "connected"
    page.post(here, {"reason": "breach", "cancel_schedules": "on"})
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert Schedule.objects.get(pk=schedule.pk).status == "cancelled"


def test_social_tokens_stay_unless_erasure_is_asked(
    page: Client, platforms: Bank, owner: User
) -> None:
    row = account_of(owner.own_team)
    here = f"{ACCOUNTS}{row.pk}/"
    page.post(f"{here}force-disconnect/", {"reason": "breach"})
    row.refresh_from_db()
    assert (row.status, row.auth_state is None) == ("disconnected", False)
    assert "kept, sealed and unused" in text_of(page, f"{here}change/")
    page.post(f"{here}force-disconnect/", {"reason": "breach", "erase_tokens": "on"})
    assert SocialAccount.objects.get().auth_state is None
    assert "Disconnect by force" not in text_of(page, f"{here}change/")


def test_each_app_is_asked_only_what_concerns_it(
    page: Client, platforms: Bank, owner: User
) -> None:
    asked = {
        "providers": f"{PROVIDERS}{connection_of(owner).pk}",
        "channels": f"{CHANNELS}{channel_of(owner).pk}",
        "social": f"{ACCOUNTS}{account_of(owner.own_team).pk}",
    }
    fields = {
        app: set(
            re.findall(r'name="(\w+)"', page.get(f"{path}/force-disconnect/").content.decode())
        )
        & {"cancel_schedules", "skip_revocation", "erase_tokens"}
        for app, path in asked.items()
    }
    assert fields == {
        "providers": {"skip_revocation"},
        "channels": {"skip_revocation", "cancel_schedules"},
        "social": {"skip_revocation", "erase_tokens"},
    }


def test_without_permission_no_button_and_a_403(
    auditors_page: Client, platforms: Bank, owner: User
) -> None:
    rows = (
        (PROVIDERS, connection_of(owner)),
        (CHANNELS, channel_of(owner)),
        (ACCOUNTS, account_of(owner.own_team)),
    )
    for path, row in rows:
        assert "by force" not in text_of(auditors_page, path)
        assert "by force" not in text_of(auditors_page, f"{path}{row.pk}/change/")
        reason = {"reason": "breach"}
        assert auditors_page.get(f"{path}{row.pk}/force-disconnect/").status_code == 403
        assert auditors_page.post(f"{path}{row.pk}/force-disconnect/", reason).status_code == 403
        assert auditors_page.post(path, {**chosen(row), **reason}).status_code == 403
        row.refresh_from_db()
        assert row.disconnected_at is None
    assert not BulkJob.objects.exists()


def test_the_permission_of_one_app_opens_no_other(
    platforms: Bank, owner: User, auditor: User, auditors_page: Client
) -> None:
    from django.contrib.auth.models import Permission

    held = Permission.objects.get(codename="force_disconnect_channelconnection")
    auditor.user_permissions.add(held)
    row, channel = connection_of(owner), channel_of(owner)
    assert auditors_page.get(f"{CHANNELS}{channel.pk}/force-disconnect/").status_code == 200
    assert auditors_page.get(f"{PROVIDERS}{row.pk}/force-disconnect/").status_code == 403


def test_an_id_that_nobody_has_is_not_found(page: Client, platforms: Bank) -> None:
    path = f"{PROVIDERS}01a2120c-fa6a-714b-b031-524c651f63d2/force-disconnect/"
    assert page.get(path).status_code == 404
    assert page.post(path, {"reason": "breach"}).status_code == 404


def test_repeating_it_changes_nothing(page: Client, rows: list[Connection]) -> None:
    for _ in range(2):
        answer = page.post(PROVIDERS, chosen(rows[0], reason="breach"), follow=True)
    assert "0 disconnected, 1 were over already" in answer.content.decode()
    assert len(events("connection_force_disconnected")) == 1


def test_a_page_of_them_is_ended_at_once(page: Client, rows: list[Connection]) -> None:
    assert AT_ONCE >= 50
    page.post(PROVIDERS, chosen(*rows, reason="breach"))
    assert Connection.objects.filter(status="disconnected").count() == 3
    assert not BulkJob.objects.exists()


class TestWithoutRevocation:
    """The platform can't be told: the page says what lives on, and where to end it."""

    TABLE = """
[providers.vault]
name = "Vault"
authorization_endpoint = "https://vault.example.com/authorize"
token_endpoint = "https://vault.example.com/token"
help_url = "https://vault.example.com/apps"
"""

    @pytest.fixture
    def row(self, use_catalogue: UseCatalogue, owner: User) -> Connection:
        use_catalogue(self.TABLE, "vault")
        return connection_of(owner, slug="vault")

    def test_it_says_what_lives_on(self, page: Client, row: Connection) -> None:
        here = f"/admin/providers/connection/{row.pk}/force-disconnect/"
        asked = text_of(page, here)
        assert "Vault has no usable revocation: 1 grant lives on there, until" in asked
        assert 'href="https://vault.example.com/apps"' in page.get(here).content.decode()
        Connection.objects.update(grant_expires_at="2126-01-01T00:00:00Z")
        assert "lives on there until 2126-01-01 00:00 UTC at the latest." in text_of(page, here)

    def test_what_means_nothing_is_not_asked(self, page: Client, row: Connection) -> None:
        here = f"/admin/providers/connection/{row.pk}/force-disconnect/"
        assert "skip_revocation" not in page.get(here).content.decode()
        page.post(here, {"reason": "breach"})
        assert Connection.objects.get().status == "disconnected"
