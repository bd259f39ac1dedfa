"""Whom a subject identifier names (RFC 9493), among the people of an issuer."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet

from connections_project.api.parsers import UNSTORABLE
from connections_project.identity.fields import normal_email
from connections_project.identity.models import User


class UnknownIdentifierError(ValueError):
    """It is malformed, or names nobody in a way that is known here."""


def people_named(issuer: str, identifier: Any) -> "QuerySet[User]":
    """Find the people of an issuer whom an identifier names: by `iss_sub` one, by `email` those who
    have that address, of a complex one its `user`.

    Args:
        issuer: The `iss`, exactly; whom an identifier of another issuer names is nobody.
        identifier: As it came: RFC 9493's `format`, or RISC's older `subject_type`.

    Raises:
        UnknownIdentifierError: It is of another format, or lacks what its format needs.
    """
    if not isinstance(identifier, Mapping):
        raise UnknownIdentifierError
    named = identifier.get("format", identifier.get("subject_type"))
    if "user" in identifier and named in (None, "complex"):
        # SSF 1.0, section 3.2: of session, device and others nobody is known here.
        return _simple(issuer, identifier["user"])
    return _simple(issuer, identifier)


def _simple(issuer: str, identifier: Any) -> "QuerySet[User]":
    if not isinstance(identifier, Mapping):
        raise UnknownIdentifierError
    named = identifier.get("format", identifier.get("subject_type"))
    finder = _FINDERS.get(named.replace("-", "_")) if isinstance(named, str) else None
    if finder is None:
        raise UnknownIdentifierError
    return finder(issuer, identifier)


def _by_subject(issuer: str, identifier: Mapping[str, Any]) -> "QuerySet[User]":
    iss, subject = _text(identifier, "iss"), _text(identifier, "sub")
    if iss != issuer or UNSTORABLE.search(subject):
        return User.objects.none()
    return User.objects.filter(issuer=issuer, subject=subject)


def _by_email(issuer: str, identifier: Mapping[str, Any]) -> "QuerySet[User]":
    address = normal_email(_text(identifier, "email"))
    if UNSTORABLE.search(address):
        return User.objects.none()
    return User.objects.filter(issuer=issuer, issuer_email=address).order_by("pk")


def _text(identifier: Mapping[str, Any], name: str) -> str:
    value = identifier.get(name)
    if not isinstance(value, str) or not value:
        raise UnknownIdentifierError
    return value


_Finder = Callable[[str, Mapping[str, Any]], "QuerySet[User]"]
_FINDERS: Mapping[str, _Finder] = {"iss_sub": _by_subject, "email": _by_email}
