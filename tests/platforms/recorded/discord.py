"""Discord (discord-api-docs: OAuth2, the user object, opcodes and status codes)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="discord",
    tokens={
        "token_type": "Bearer",
        "access_token": "access-N",
        "expires_in": 604800,
        "refresh_token": "refresh-N",
        "scope": "identify",
    },
    routes={
        ("GET", "/api/users/@me"): Answer(
            json={
                "id": "80351110224678912",
                "username": "ada",
                "global_name": "Ada Lovelace",
                "discriminator": "0",
                "avatar": None,
            }
        ),
    },
    account_id="80351110224678912",
    account_name="ada",
    dead=((Answer(400, json={"error": "invalid_grant"}), "expired"),),
    dead_token=(
        (Answer(401, json={"message": "401: Unauthorized", "code": 0}), "revoked"),
        (Answer(401, json={"message": "Invalid OAuth2 access token", "code": 50025}), "expired"),
    ),
    revoked=Answer(json={}),
    revokes=("refresh-1", "access-1"),
    unrevoked=(Answer(401, json={"error": "invalid_client"}),),
)
