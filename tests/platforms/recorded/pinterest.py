"""Pinterest (pinterest/api-description v5/openapi.yaml; pinterest-python-sdk issue 114)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="pinterest",
    tokens={
        "response_type": "authorization_code",
        "access_token": "access-N",
        "token_type": "bearer",
        "expires_in": 2592000,
        "refresh_token": "refresh-N",
        "refresh_token_expires_in": 5184000,
        "scope": "user_accounts:read,boards:read,pins:read,pins:write",
    },
    routes={
        ("GET", "/v5/user_account"): Answer(
            json={
                "account_type": "BUSINESS",
                "id": "5511",
                "profile_image": "https://i.pinimg.com/ada",
                "username": "ada_pins",
                "business_name": "Engines",
                "board_count": 14,
            }
        ),
    },
    account_id="5511",
    account_name="ada_pins",
    dead=((Answer(401, json={"code": 283, "message": "…"}), "expired"),),
    dead_token=((Answer(401, json={"code": 2, "message": "Authentication failed."}), "expired"),),
)
