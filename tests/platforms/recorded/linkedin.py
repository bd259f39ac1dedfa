"""LinkedIn (Microsoft's documents: authorization code flow, token introspection)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

DEAD = "The provided authorization grant or refresh token is invalid, expired or revoked"
RECORDING = Recording(
    slug="linkedin",
    tokens={
        "access_token": "access-N",
        "expires_in": 5184000,
        "refresh_token": "refresh-1",
        "refresh_token_expires_in": 31536000,
        "scope": "openid,profile,w_member_social",
        "token_type": "Bearer",
        # {"sub": "782bbtaQ", "aud": "our client"}
        "id_token": "e30.eyJzdWIiOiAiNzgyYmJ0YVEiLCAiYXVkIjogIm91ciBjbGllbnQifQ.",
    },
    routes={
        ("GET", "/v2/userinfo"): Answer(
            json={
                "sub": "782bbtaQ",
                "name": "Ada Lovelace",
                "given_name": "Ada",
                "family_name": "Lovelace",
                "picture": "https://media.licdn.com/ada",
                "locale": {"country": "GB", "language": "en"},
            }
        ),
    },
    account_id="782bbtaQ",
    account_name="Ada Lovelace",
    dead=((Answer(400, json={"error": "invalid_request", "error_description": DEAD}), "expired"),),
    dead_token=(
        (
            Answer(
                401,
                json={
                    "status": 401,
                    "serviceErrorCode": 65601,
                    "code": "REVOKED_ACCESS_TOKEN",
                    "message": "The token used in the request has been revoked by the user",
                },
            ),
            "revoked",
        ),
    ),
    revokes=("access-1", "refresh-1"),
    unrevoked=(Answer(401, json={"error": "invalid_client", "error_description": "…"}),),
    introspected_dead=Answer(
        json={"active": False, "status": "revoked", "client_id": "our client", "auth_type": "3L"}
    ),
)
