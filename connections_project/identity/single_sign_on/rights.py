"""What an operator may do follows the provider's groups, at each sign-in."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from audit.events import Action, ActorType, Interface
from audit.record import Origin
from connections_project.api.parsers import UNSTORABLE
from connections_project.identity.clock_leads import note_lead
from connections_project.identity.fields import claimed_email
from connections_project.identity.groups import AUDITORS, OPERATORS
from connections_project.identity.models import PrincipalType, User
from connections_project.identity.provisioning import provision_by_directory
from connections_project.identity.records import record_about_user
from connections_project.identity.single_sign_on.provider import single_sign_on
from connections_project.identity.tokens import BadTokenError, require_open_sessions

LONGEST_SUBJECT = 255


class RefusedError(Exception):
    """Somebody is not let in.

    Args:
        reason: Why, in a word for the audit log.
        user: Who it is, where that is known.
    """

    def __init__(self, reason: str, user: User | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.user = user


def let_in(claims: Mapping[str, Any], *, address: str) -> User:
    """Return the operator of an ID token, whose rights are from now on those of the groups.

    Nobody is ever found by an e-mail address.

    Args:
        claims: Of the ID token.

    Raises:
        RefusedError: The sign-in was not strong enough; or the person is in no group, and has lost
            what there was; or is deactivated.
    """
    subject = claims["sub"]
    if not _is_storable(subject, LONGEST_SUBJECT):
        raise RefusedError("bad_subject")
    group = _group(claims.get(single_sign_on().groups_claim))
    # Whoever is in no group loses what there was, however weak the sign-in is.
    if group is not None and not _is_strong(claims.get("amr")):
        raise RefusedError("missing_amr")
    with transaction.atomic():
        user = _principal(subject, group, address)
        if user is not None:
            _require_good(user, claims)
            _set_rights(user, group, address)
            _set_email(user, claims.get("email"))
    # Only now: what was taken away stays so.
    if user is None or group is None:
        raise RefusedError("no_group", user)
    return user


def _is_strong(amr: Any) -> bool:
    required = single_sign_on().required_amr
    return not required or (isinstance(amr, list) and required in amr)


def _group(groups: Any) -> str | None:
    """Return the group of ours that a claim gives; a claim that is no list gives none."""
    named = [one for one in groups if isinstance(one, str)] if isinstance(groups, list) else []
    ours = single_sign_on()
    if ours.operators_group and ours.operators_group in named:
        return OPERATORS
    return AUDITORS if ours.auditors_group and ours.auditors_group in named else None


def _principal(subject: str, group: str | None, address: str) -> User | None:
    """Lock the principal of a subject; make one where there is none and a group is given."""
    issuer = single_sign_on().issuer
    people = User.objects.select_for_update().filter(issuer=issuer, subject=subject)
    found = people.first()
    if found is not None or group is None:
        return found
    origin = Origin(ActorType.USER, None, Interface.ADMIN, address)
    try:
        provision_by_directory(issuer=issuer, subject=subject, origin=origin)
        return people.get()
    except (IntegrityError, User.DoesNotExist):
        # Forgotten at this moment, which ends all that there was, this sign-in too.
        raise RefusedError("sessions_ended") from None


def _require_good(user: User, claims: Mapping[str, Any]) -> None:
    if not user.is_active:
        raise RefusedError("inactive", user)
    if user.principal_type == PrincipalType.SERVICE:
        raise RefusedError("service", user)
    note_lead(user, claims["iat"])
    try:
        require_open_sessions(user, dict(claims))
    except BadTokenError:
        raise RefusedError("sessions_ended", user) from None


def _set_rights(user: User, group: str | None, address: str) -> None:
    """Give a user one group of ours or none, and nothing else, whatever there was."""
    before = (user.is_staff, user.is_superuser, set(user.groups.values_list("name", flat=True)))
    wanted = (group is not None, False, {group} if group else set())
    has_more = user.user_permissions.exists()
    if before == wanted and not has_more:
        return
    user.is_staff, user.is_superuser = group is not None, False
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.set(Group.objects.filter(name=group) if group else [])
    user.user_permissions.clear()
    origin = Origin(ActorType.OPERATOR, user.pk, Interface.ADMIN, address)
    details = {"changed": ["groups"], "by": "single sign-on", "group": group or ""}
    record_about_user(Action.USER_CHANGED, user.pk, origin=origin, details=details)


def _is_storable(text: Any, longest: int) -> bool:
    return isinstance(text, str) and 0 < len(text) <= longest and not UNSTORABLE.search(text)


def _set_email(user: User, email: Any) -> None:
    address = claimed_email(email)
    if address and address != user.issuer_email:
        user.issuer_email = address
        user.save(update_fields=["issuer_email"])
