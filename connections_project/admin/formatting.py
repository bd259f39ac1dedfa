"""Formatting of values in the admin: a colour with its word, a time with its age."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from connections_project.core import clock

NOTHING = "—"
MINUTE = timedelta(minutes=1)
TONES = {
    "good": {"active", "connected", "published", "finished", "success"},
    "wait": {"pending", "queued", "running", "publishing", "unconfirmed"},
    "bad": {"expired", "revoked", "failed", "error", "abandoned", "refused", "failure"},
}


# How far a revocation has come, in words and colour; also connections may be "revoked".
REVOCATION = {
    "pending": ("waiting", "wait"),
    "revoked": ("revoked there", "good"),
    "abandoned": ("given up", "bad"),
    "shared_grant": ("shared grant", "off"),
}
# What a look at the tokens has shown, once the platform had accepted their revocation.
VERIFICATION = {
    "verified_dead": ("refused since", "good"),
    "still_alive": ("still alive", "bad"),
    "unverifiable": ("can't be told", "off"),
}


def badge(word: str, tone: str = "") -> SafeString:
    """Show a status: a word on a colour.

    Args:
        word: As the database has it.
        tone: "good", "wait", "bad" or "off"; by default what the word means elsewhere.
    """
    found = tone or next((name for name, words in TONES.items() if word in words), "off")
    return format_html('<span class="badge badge-{}">{}</span>', found, word.replace("_", " "))


def revocation_badge(state: str, tries: int = 0, *, is_tried: bool = False) -> SafeString:
    """Show the state of a revocation.

    Args:
        state: As the database has it.
        tries: How often it was tried in vain.
        is_tried: Whether somebody tries it just now; otherwise a pending one waits.
    """
    words, tone = REVOCATION[state]
    if is_tried:
        return badge("being tried", tone)
    return badge(f"{words}, {tries} tries" if tone == "wait" and tries > 1 else words, tone)


def verification_badge(verification: str) -> SafeString | str:
    """Show whether revoked tokens are dead."""
    return badge(*VERIFICATION[verification]) if verification else NOTHING


def exact_time(when: datetime | None, precision: str = "seconds") -> str:
    """Write a time in the operator's time zone, with UTC beside.

    Args:
        precision: "seconds" or "minutes".
    """
    if when is None:
        return NOTHING
    utc = when.astimezone(UTC)
    here = _localtime(utc)
    day, time = here.date(), here.time().isoformat(precision)
    if here.tzinfo is UTC or timezone.get_current_timezone_name() == "UTC":
        return f"{day} {time} UTC"
    beside = utc.time().isoformat(precision)
    if utc.date() != day:
        beside = f"{utc.date()} {beside}"
    return f"{day} {time} {here.tzname()} ({beside} UTC)"


def _localtime(utc: datetime) -> datetime:
    """Return a time in the operator's zone; as it came where the calendar there has no such."""
    try:
        return timezone.localtime(utc)
    except OverflowError:
        return utc


def format_datetime(when: datetime | None) -> SafeString | str:
    """Show a time by its age; the time itself is in the element, and in its tooltip."""
    if when is None:
        return NOTHING
    now = clock.now()
    if abs(now - when) < MINUTE:
        words = "just now"
    elif when > now:
        words = f"in {timesince(now, when, depth=1)}"
    else:
        words = f"{timesince(when, now, depth=1)} ago"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', when.isoformat(), exact_time(when), words
    )


@cache
def time_column(column: str) -> Callable[[Any], SafeString | str]:
    """Return what shows a row's time on its page, where Django would leave out the time zone."""

    def shown(row: Any) -> SafeString | str:
        when = getattr(row, column)
        if when is None:
            return NOTHING
        return format_html("{}, {}", exact_time(when), format_datetime(when))

    shown.__name__ = column
    return shown


def short_id(key: UUID | str) -> SafeString:
    """Show an id by its ends; the whole one is in the tooltip."""
    text = str(key)
    return format_html('<span class="id" title="{}">{}…{}</span>', text, text[:8], text[-6:])


def link_to(obj: Any, words: str | None = None) -> SafeString | str:
    """Link to the admin's page of a row."""
    if obj is None:
        return NOTHING
    address = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', address, words or str(obj))


def connection_model(app: str) -> type[models.Model]:
    """Return the model of an app's connections.

    Raises:
        LookupError: The app has none.
    """
    for model in apps.get_app_config(app).get_models():
        if hasattr(model, "platform_column"):
            return model
    raise LookupError(app)


def link_to_connection(app: str, connection_id: UUID) -> SafeString:
    """Link to a connection that only its app and id are known of."""
    options = connection_model(app)._meta
    page = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[connection_id])
    return format_html('<a href="{}">{}</a>', page, short_id(connection_id))


def format_details(details: Mapping[str, Any]) -> SafeString:
    """Show the details of an event, in its order."""
    shown: Iterable[tuple[str, Any]] = (
        (name.replace("_", " "), _plain(value)) for name, value in details.items()
    )
    return format_html_join(", ", "{}: {}", shown)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value in (None, "", []) else value
