"""People are written to when a connection of theirs needs them: once, and by background work."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import transaction
from django.utils import timezone

from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.connections.attention import AttentionReason
from connections_project.connections.models import OAuthConnection
from connections_project.connections.records import record_about
from connections_project.core.periodic import periodic_task_of
from connections_project.identity.models import User
from connections_project.pages.emails import send_due
from connections_project.pages.models import AttentionEmail
from providers.models import Connection
from tests.conftest import UseCatalogue
from tests.pages.test_disconnect import GALLERY
from tests.support.bank import Bank
from tests.support.provider_rows import connection_of
from tests.support.social_rows import account_of

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = Origin(ActorType.SYSTEM, None, Interface.WORKER)
FAILED = Action.PROVIDER_TOKEN_REFRESH_FAILED


@pytest.fixture(autouse=True)
def _on(settings: LazySettings) -> None:
    settings.ATTENTION_EMAILS = True


@pytest.fixture
def row(bank: Bank, owner: User) -> Connection:
    connection_of(owner, grant_expires_at=timezone.now() + timedelta(days=5))
    return Connection.objects.get()


def need(row: OAuthConnection, reason: str = "grant_expired", action: str = FAILED) -> None:
    with transaction.atomic():
        row.need_attention(reason, now=timezone.now())
        row.save()
        record_about(row, action, origin=ORIGIN)


def send() -> list[mail.EmailMessage]:
    periodic_task_of(send_due).do()
    return list(mail.outbox)


def test_the_owner_is_written_to(row: Connection, owner: User) -> None:
    need(row)
    assert mail.outbox == []
    (sent,) = send()
    assert sent.to == [owner.email]
    assert sent.subject == "Your connection to Bank needs you"
    assert "The access has run out. Reconnect" in sent.body
    assert "https://localhost:8000/connections" in sent.body
    ((page, kind),) = sent.alternatives  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert 'href="https://localhost:8000/connections"' in page
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert not AttentionEmail.objects.exists()


def test_a_name_turns_nothing_in_an_email(row: Connection) -> None:
    row.platform_account_name = "Check\u202eing"
    need(row)
    (sent,) = send()
    texts = (sent.body, sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert ["\u202e" in text for text in texts] == [False, False]


def test_once_per_transition(row: Connection) -> None:
    need(row)
    need(row)
    assert len(send()) == 1
    assert len(send()) == 1
    need(row, AttentionReason.GRANT_REVOKED)
    assert len(send()) == 2


def test_the_end_is_named(row: Connection) -> None:
    row.grant_expires_at = timezone.now() + timedelta(days=5)
    need(row, "grant_ending", Action.CONNECTION_GRANT_ENDING)
    (sent,) = send()
    assert "The access ends on " in sent.body


def test_nobody_is_written_to_after_a_recovery(row: Connection) -> None:
    need(row)
    row.be_healthy(renewed=True, now=timezone.now())
    row.save()
    assert send() == []
    assert not AttentionEmail.objects.exists()


@pytest.mark.parametrize("reason", ["connect_failed"])
def test_what_is_seen_anyhow_is_not_written(row: Connection, reason: str) -> None:
    need(row, reason)
    assert not AttentionEmail.objects.exists()


def test_it_is_off_by_default(row: Connection, settings: LazySettings) -> None:
    settings.ATTENTION_EMAILS = False
    need(row)
    assert not AttentionEmail.objects.exists()


def test_a_rollback_takes_it_along(row: Connection) -> None:
    with transaction.atomic():
        need(row)
        transaction.set_rollback(True)
    assert not AttentionEmail.objects.exists()


def test_a_server_that_is_away_is_tried_again(row: Connection, settings: LazySettings) -> None:
    need(row)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send() == []
    job = AttentionEmail.objects.get()
    assert (job.attempts, job.handed_over_at, job.due_at > timezone.now()) == (1, None, True)


def test_what_may_have_gone_is_not_sent_again(row: Connection) -> None:
    need(row)
    AttentionEmail.objects.update(handed_over_at=timezone.now(), attempts=1)
    assert send() == []
    assert not AttentionEmail.objects.exists()


def test_a_leaver_is_left_alone(row: Connection, owner: User) -> None:
    need(row)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert send() == []


def test_all_of_a_team_are_written_to(
    use_catalogue: UseCatalogue, owner: User, teammate: User
) -> None:
    use_catalogue(GALLERY, "gallery")
    account = account_of(owner.own_team)
    account.refresh_from_db()
    need(account, "grant_expired", Action.ACCOUNT_TOKEN_REFRESH_FAILED)
    assert {sent.to[0] for sent in send()} == {owner.email, teammate.email}


def test_who_has_left_the_team_is_not(
    use_catalogue: UseCatalogue, owner: User, teammate: User
) -> None:
    use_catalogue(GALLERY, "gallery")
    account = account_of(owner.own_team)
    need(account, "grant_revoked", Action.CONNECTION_DEAUTHORIZED)
    teammate.memberships.filter(team=owner.own_team).delete()
    assert {sent.to[0] for sent in send()} == {owner.email}


def test_german_on_request(row: Connection, settings: LazySettings) -> None:
    settings.EMAIL_LANGUAGE = "de"
    need(row)
    (sent,) = send()
    assert sent.subject == "Ihre Verbindung zu Bank braucht Sie"
