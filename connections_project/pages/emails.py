"""E-mails to people whose connections need them, by ATTENTION_EMAILS.

The transition writes a row in its own transaction, and background work sends it: a mail server that
is slow or away delays no request, and what is rolled back was never announced.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from connections_project.connections.attention import AttentionReason
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import connection_type
from connections_project.core import clock
from connections_project.core.dispatch import notify_workers
from connections_project.core.jobs.queue import process_jobs
from connections_project.identity.models import Membership, User
from connections_project.pages import wording
from connections_project.pages.models import AttentionEmail
from connections_project.platforms.registry import name_of

# Whoever tries to connect sees at once that it failed.
SEEN_ANYHOW = {AttentionReason.CONNECT_FAILED.value}


def note_attention(connection: OAuthConnection, reason: str) -> None:
    """Write the e-mails of a transition, in its transaction: to the owner, or a team's members.

    Args:
        connection: As it stands after the transition.
    """
    since = connection.attention_since
    if not settings.ATTENTION_EMAILS or reason in SEEN_ANYHOW or since is None:
        return
    emails = [
        AttentionEmail(
            user_id=user_id,
            app=connection.app,
            connection_id=connection.pk,
            reason=reason,
            since=since,
            due_at=clock.now(),
        )
        for user_id in _recipients(connection)
    ]
    AttentionEmail.objects.bulk_create(emails, ignore_conflicts=True)
    notify_workers(send_due)


def _recipients(connection: OAuthConnection) -> list[UUID]:
    owner = connection.responsible_id
    if not connection_type(connection.app).belongs_to_teams:
        return [owner]
    return list(Membership.objects.filter(team_id=owner).values_list("user_id", flat=True))


def send(job: AttentionEmail) -> None:
    """Send one e-mail, unless the connection has recovered or changed since, or is not theirs."""
    row = connection_type(job.app).rows.filter(pk=job.connection_id).first()
    address = _address(job.user)
    if row is None or address is None or not _still_needs(row, job) or job.handed_over_at:
        return
    with translation.override(settings.EMAIL_LANGUAGE):
        message = _message(job, row, address)
    job.owned().update(handed_over_at=clock.now())
    try:
        message.send()
    except Exception:
        # The server has not taken it, so that it may be sent again.
        job.owned().update(handed_over_at=None)
        raise


send_due = process_jobs(AttentionEmail, send, threads=4)


def _address(user: User) -> str | None:
    return user.shown_email if user.is_active else None


def _still_needs(row: OAuthConnection, job: AttentionEmail) -> bool:
    same = row.attention_reason == job.reason and row.attention_since == job.since
    # Who has left the team meanwhile learns nothing more of its accounts.
    return same and row.deleted_at is None and job.user_id in _recipients(row)


def _message(job: AttentionEmail, row: Any, address: str) -> EmailMultiAlternatives:
    platform = name_of(row.platform_slug)
    context = {
        "platform": platform,
        "account": row.account_name,
        "attention": wording.attention(job.reason, platform=platform, ends_at=row.grant_expires_at),
        "url": f"{settings.PUBLIC_URL}{reverse('connections')}",
    }
    message = EmailMultiAlternatives(
        gettext("Your connection to %(platform)s needs you") % {"platform": platform},
        render_to_string("pages/email/attention.txt", context),
        to=[address],
        # RFC 3834, section 5: no out-of-office answers. The id lets servers drop a second copy.
        headers={"Auto-Submitted": "auto-generated", "Message-ID": f"<{job.pk}@connections>"},
    )
    message.attach_alternative(render_to_string("pages/email/attention.html", context), "text/html")
    return message
