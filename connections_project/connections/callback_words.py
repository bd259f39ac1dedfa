"""What the callback page says, translated where it is shown: a kept outcome is plain text."""

from django.utils.translation import gettext_noop as _

from connections_project.connections import errors
from connections_project.connections.outcomes import Outcome
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.platforms.registry import (
    PlatformBusyError,
    PlatformUnavailableError,
    UnknownPlatformError,
)

START_AGAIN = _("Go back to where you came from and start connecting again.")
RELOAD = _("Nothing was connected yet. Please load this page again in a few seconds.")
LATER = _("Nothing was connected. Please try again in a few minutes.")


REFUSALS: dict[type[Exception], Outcome] = {
    errors.InvalidStateError: Outcome(400, _("This link is no longer good"), START_AGAIN),
    errors.AuthorizationDeclinedError: Outcome(
        400,
        _("Access was not granted"),
        _("Nothing was connected. You can start again at any time."),
        result="declined",
    ),
    errors.IssuerMismatchError: Outcome(
        400,
        _("This answer comes from somebody else"),
        _("Nothing was sent there. Go back to where you came from and start connecting again."),
    ),
    errors.AccountMismatchError: Outcome(
        400,
        _("This is another account"),
        _("Sign in there with the account that you connected before."),
    ),
    errors.ConnectFailedError: Outcome(
        502, _("The platform did not complete the connection"), LATER
    ),
    PlatformUnavailableError: Outcome(503, _("This platform can't be used at the moment"), LATER),
    PlatformBusyError: Outcome(503, _("This platform does not answer in time"), RELOAD),
    UnknownPlatformError: Outcome(400, _("This platform can't be connected"), START_AGAIN),
    StateStoreUnavailable: Outcome(503, _("Connecting is not possible at the moment"), LATER),
}
INCOMPLETE = Outcome(400, _("This link is incomplete"), START_AGAIN)
SIGN_IN = Outcome(
    400,
    _("Is it you who is connecting?"),
    _(
        "This connection was started in another browser. Sign in to go on, or close this page if "
        "you did not start it."
    ),
)
SOMEBODY_ELSE = Outcome(
    403,
    _("You are signed in as somebody else"),
    _("This connection was started by another user, and has been cancelled."),
)
NOTHING = Outcome(
    200,
    _("Nothing was connected"),
    _(
        "These accounts were disconnected before, and stay so. To have one back, choose it when "
        "you start connecting."
    ),
)
# Nothing is refused to a person here: the connection there is has taken the fresh credentials.
ALREADY = _("This account is connected already")
PREFETCH = Outcome(503, _("Not yet"), _("This link is good once, and nobody has followed it yet."))
TOO_MANY = Outcome(429, _("Too many tries"), _("Please wait a minute and start connecting again."))


CONNECTED = _("%(platform)s is connected")
CLOSE = _("You can close this page.")
RENEWED = _("Its access has been renewed.")
