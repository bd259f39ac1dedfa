"""What the audit log says about users."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from audit.events import Action, Outcome
from audit.record import Origin, record


def record_about_user(
    action: Action,
    user_id: UUID | None,
    *,
    origin: Origin,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record an event about a user, in the caller's transaction.

    The user's address is not recorded: the log could never forget it.

    Args:
        user_id: None where nobody is known, as at a sign-in with an unknown e-mail.
    """
    record(
        action,
        origin=origin,
        subject_type="user",
        subject_id=user_id,
        subject_owner_id=user_id,
        outcome=outcome,
        reason=reason,
        details=details,
    )
