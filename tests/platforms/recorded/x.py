"""X (xdevplatform/docs: OAuth 2.0, response codes and errors)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

INVALID = {
    "error": "invalid_request",
    "error_description": "Value passed for the token was invalid.",
}
RECORDING = Recording(
    slug="x",
    tokens={
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": "access-N",
        "scope": "users.read tweet.read tweet.write offline.access",
        "refresh_token": "refresh-N",
    },
    routes={
        ("GET", "/2/users/me"): Answer(
            json={"data": {"id": "2244994", "name": "Ada Lovelace", "username": "ada_l"}}
        ),
    },
    account_id="2244994",
    account_name="ada_l",
    dead=((Answer(400, json=INVALID), "expired"),),
    dead_token=(
        (
            Answer(
                401,
                json={
                    "title": "Unauthorized",
                    "type": "about:blank",
                    "status": 401,
                    "detail": "Unauthorized",
                },
            ),
            "revoked",
        ),
    ),
    revoked=Answer(json={"revoked": True}),
    revokes=("refresh-1", "access-1"),
    revoked_already=(Answer(400, json=INVALID),),
    unrevoked=(
        Answer(401, json={"error": "unauthorized_client", "error_description": "…"}),
        Answer(json={"revoked": False}),
    ),
)
