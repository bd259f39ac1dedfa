"""What the pages say of connections, in plain words and the reader's language."""

from datetime import datetime

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections_project.connections.attention import AttentionReason
from connections_project.receipts.facts import Facts
from connections_project.revocation.models import JobState
from connections_project.revocation.release import Decision


def day(when: datetime) -> str:
    # Translators: a day, as Django's date filter writes it.
    return date_format(when, _("j F Y"))


def minute(when: datetime) -> str:
    # Translators: a day and a time, as Django's date filter writes it.
    text = date_format(when, _("j F Y, H:i"))
    return f"{text} UTC"


def attention(reason: str | None, *, platform: str, ends_at: datetime | None) -> str:
    """Return what a connection needs of its owner; "" where it needs nothing."""
    names = {"platform": platform, "end": day(ends_at) if ends_at else ""}
    match reason:
        case None:
            return ""
        case AttentionReason.GRANT_EXPIRED:
            text = _("The access has run out. Reconnect to go on using it.")
        case AttentionReason.GRANT_REVOKED:
            text = _("The access was taken back at %(platform)s. Reconnect to go on using it.")
        case AttentionReason.GRANT_ENDING:
            text = _("The access ends on %(end)s. Reconnect before that to keep it.")
        case AttentionReason.CONNECT_FAILED:
            text = _("Connecting did not succeed. Try again.")
        case _other:
            text = _("%(platform)s refuses to renew the access. Reconnect to go on using it.")
    return text % names


def since(status: str, *, connected_at: datetime | None, disconnected_at: datetime | None) -> str:
    """Return how a connection stands, and since when."""
    if disconnected_at:
        return _("Disconnected on %(day)s.") % {"day": day(disconnected_at)}
    if connected_at:
        return _("Connected since %(day)s.") % {"day": day(connected_at)}
    return _("It is being connected.") if status == "pending" else _("It is not connected.")


def happens_here(*, keeps_tokens: bool) -> str:
    """Return what a disconnect does with the credentials."""
    if not keeps_tokens:
        return _("We delete the access keys at once and can't use the account any more.")
    days = settings.SOCIAL_TOKEN_RETENTION_DAYS
    text = ngettext(
        "We stop using the account at once. Its access keys are kept locked away and unused for "
        "%(days)d day, and are then deleted.",
        "We stop using the account at once. Its access keys are kept locked away and unused for "
        "%(days)d days, and are then deleted.",
        days,
    )
    return text % {"days": days}


def happens_there(decision: Decision, *, platform: str, keeps_tokens: bool) -> str:
    """Return what the platform is told of a disconnect."""
    match decision:
        case Decision.PENDING:
            text = _("We ask %(platform)s to end the access, and ask again if it does not answer.")
        case Decision.SHARED_GRANT:
            text = _(
                "Nothing is sent to %(platform)s now: another connection uses the same access, "
                "which ends with the last of them."
            )
        case Decision.NOT_SUPPORTED:
            text = _(
                "%(platform)s offers no way to be told. Its own settings list the access until "
                "you remove it there."
            )
        case _other if keeps_tokens:
            text = _(
                "Nothing is sent to %(platform)s. Its own settings list the access until you "
                "remove it there."
            )
        case _other:
            text = _("Nothing is sent to %(platform)s: we hold no access there any more.")
    return text % {"platform": platform}


def happened_here(known: Facts, *, holds_tokens: bool) -> str:
    """Return what became of the credentials."""
    if holds_tokens:
        return _("The account is out of use. Its access keys are kept locked away and unused.")
    if "credentials" in known.erased:
        return _("The access keys are deleted.")
    return _("No access keys are held.")


def happened_there(known: Facts, *, platform: str) -> str:
    """Return what is known of the access at the platform."""
    match known.revocation.state:
        case JobState.REVOKED:
            text = _("%(platform)s has confirmed that the access is over.")
        case JobState.PENDING:
            text = _("%(platform)s was asked to end the access, and has not confirmed it yet.")
        case JobState.ABANDONED:
            text = _(
                "%(platform)s was asked to end the access for a whole day, and never confirmed "
                "it. Please remove the access there yourself."
            )
        case Decision.SHARED_GRANT:
            text = _("The access at %(platform)s goes on for another connection that uses it.")
        case Decision.NOT_SUPPORTED:
            text = _(
                "%(platform)s offers no way to be told. Please remove the access there yourself."
            )
        case _other:
            text = _("Nothing was sent to %(platform)s.")
    return text % {"platform": platform}


def waiting(count: int) -> str:
    """Return what is still to be done through a connection."""
    text = ngettext(
        "%(count)d post is still waiting to be published through it.",
        "%(count)d posts are still waiting to be published through it.",
        count,
    )
    return text % {"count": count}
