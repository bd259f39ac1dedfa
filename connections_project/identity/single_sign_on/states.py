"""States of sign-ins in the browser's session: each is taken once.

Browsers deliver a callback twice, be it at once. The session's row is the lock, since Redis may be
away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from connections_project.identity.single_sign_on.outcomes import KEPT_SECONDS, Outcome, keep

# The library's key (mozilla_django_oidc.utils).
_STATES = "oidc_states"


@contextmanager
def locked_session(request: HttpRequest) -> Iterator[SessionBase]:
    """Read a browser's session anew, and store what is changed in it before another one can."""
    key = request.session.session_key
    with transaction.atomic():
        Session.objects.select_for_update().filter(pk=key).first()
        session = request.session = type(request.session)(key)
        yield session
        if session.modified:
            session.save()
    # Only a new one needs a cookie; stored again, the others would undo what came in between.
    session.modified = session.session_key != key


def take(request: HttpRequest, state: str) -> dict[str, Any] | None:
    """Take a state from the browser's session, for one of many at once.

    Returns:
        `nonce` and `code_verifier`; None where it isn't there, or no longer.
    """
    with locked_session(request) as session:
        states = session.get(_STATES, {})
        taken: dict[str, Any] | None = states.pop(state, None)
        if taken is not None:
            session[_STATES] = states
            keep(session, state, Outcome(503, "under_way"))
    # What other tabs store during the calls is not to be undone afterwards.
    request.session = type(request.session)(session.session_key)
    return taken


def refuse(request: HttpRequest, state: str, outcome: Outcome, *, before: str | None) -> None:
    """Keep why the sign-in of a taken state has let nobody in.

    Args:
        before: Key of the session in which the state was taken; of another one nothing is left.
    """
    request.session = type(request.session)(before)
    with locked_session(request) as session:
        keep(session, state, outcome)


def let_in(session: SessionBase, state: str, outcome: Outcome, *, before: str | None) -> None:
    """Keep where a taken state has led; in the transaction of the sign-in.

    That renews the session: a delivery that set out with the one of before finds the outcome there,
    and nothing else.

    Args:
        session: The one of whoever is in by now.
        before: Key of the session in which the state was taken.
    """
    keep(session, state, outcome)
    if before and before != session.session_key:
        left = type(session)(before)
        left.clear()
        keep(left, state, outcome)
        left.set_expiry(KEPT_SECONDS)
        left.save(must_create=True)
