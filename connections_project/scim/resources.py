"""From a principal's row to the User resource, and back."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from scim2_models import InvalidValueException

from connections_project.core.parsing import render_datetime
from connections_project.core.text import is_deceptive
from connections_project.identity import models
from connections_project.identity.fields import claimed_email
from connections_project.scim.models import LONGEST_TEXT, ScimProfile
from connections_project.scim.schemas import USER, SentUser

MOST_EMAILS = 50


def profile_of(user: models.User) -> ScimProfile | None:
    """Return what the directory has said of a principal; None for one that came by itself."""
    return getattr(user, "scim_profile", None)


def resource_of(user: models.User) -> SentUser:
    """Return a principal as a User resource."""
    return SentUser.model_validate(written(user))


def written(user: models.User) -> dict[str, Any]:
    """Return a principal as JSON has its User resource, whole.

    One that came by a token before the directory spoke of it bears its subject as both names. To
    build the resource first, and have that write itself, takes seven times as long.
    """
    profile = profile_of(user)
    told = {
        "externalId": profile.external_id if profile else user.subject,
        "userName": profile.user_name if profile else user.subject,
        "name": profile.name if profile else None,
        "displayName": profile.display_name if profile else None,
        "emails": _emails(user, profile),
    }
    return {
        "schemas": [USER],
        "id": str(user.pk),
        "meta": _meta(user, profile),
        "active": user.is_active,
        **{name: value for name, value in told.items() if value},
    }


def location_of(user: models.User) -> str:
    """Return the resource's address."""
    return f"{settings.PUBLIC_URL}/scim/v2/Users/{user.pk}"


def user_name_key(user_name: str) -> str:
    """Return what two spellings of one userName have in common."""
    lower = unicodedata.normalize("NFC", user_name).lower()
    return unicodedata.normalize("NFC", lower)


def profile_columns(wanted: SentUser) -> dict[str, Any]:
    """Return what is kept of a resource beside its subject and whether it is active.

    Raises:
        InvalidValueException: A text is too long, or has characters that deceive.
    """
    name = wanted.name.model_dump() if wanted.name else {}
    emails = [one.model_dump() for one in wanted.emails or []]
    user_name = wanted.user_name or ""
    _require_texts([user_name, wanted.external_id or "", wanted.display_name or ""])
    _require_texts(text for one in (name, *emails) for text in one.values())
    if not user_name.strip():
        raise InvalidValueException(detail="userName may not be empty.")
    if len(emails) > MOST_EMAILS:
        raise InvalidValueException(detail=f"There may be at most {MOST_EMAILS} emails.")
    return {
        "user_name": user_name,
        "user_name_key": user_name_key(user_name),
        "external_id": wanted.external_id or None,
        "display_name": wanted.display_name or "",
        "name": name,
        "emails": emails,
    }


def address_of(emails: list[dict[str, Any]]) -> str | None:
    """Return the address that a person is known by: the primary one, else the first."""
    primary = [one for one in emails if one.get("primary")]
    return claimed_email((primary or emails or [{}])[0].get("value"))


def _emails(user: models.User, profile: ScimProfile | None) -> list[dict[str, Any]]:
    if profile:
        return [one for one in profile.emails if one]
    return [{"value": user.issuer_email, "primary": True}] if user.issuer_email else []


def _meta(user: models.User, profile: ScimProfile | None) -> dict[str, str]:
    changed = profile.modified_at if profile else user.created_at
    return {
        "resourceType": "User",
        "created": render_datetime(user.created_at),
        "lastModified": render_datetime(max(changed, user.created_at)),
        "location": location_of(user),
    }


def _require_texts(values: Iterable[Any]) -> None:
    for text in values:
        if isinstance(text, str) and (len(text) > LONGEST_TEXT or is_deceptive(text)):
            raise InvalidValueException(
                detail=f"A text may have at most {LONGEST_TEXT} characters, in one line."
            )
