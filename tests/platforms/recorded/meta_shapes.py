"""What the Graph API answers for all of Meta's platforms (error handling, long-lived tokens)."""

from typing import Any

from tests.support.platform_server import Answer

USER = "1000000009"
LASTING = {"access_token": "long-1", "token_type": "bearer", "expires_in": 5183944}


def error(code: int, subcode: int | None = None, *, status: int = 400) -> Answer:
    """Write an error with the blanks that the Graph API doesn't leave out."""
    error: dict[str, Any] = {"message": "…", "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(status, json={"error": {**error, "fbtrace_id": "A9"}})


DEAD = ((error(190, 463), "expired"), (error(190, 458), "revoked"), (error(102), "expired"))
# Rate limits of apps, users and Pages, which come as refusals.
PASSING = (error(4, status=403), error(17), error(32, status=403), error(613))
# Where the user had removed the app before: "Unsupported delete request".
REMOVED_BEFORE = error(100, 33)
