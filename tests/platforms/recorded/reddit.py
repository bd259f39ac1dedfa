"""Reddit (prawcore's cassettes; reddit-archive/reddit)."""

from tests.platforms.recorded.recording import Recording
from tests.support.platform_server import Answer

RECORDING = Recording(
    slug="reddit",
    tokens={
        "access_token": "access-N",
        "token_type": "bearer",
        "expires_in": 86400,
        "refresh_token": "refresh-1",
        "scope": "identity read submit",
    },
    routes={
        ("GET", "/api/v1/me"): Answer(
            json={"id": "t2x9", "name": "ada_l", "is_employee": False, "link_karma": 12}
        ),
    },
    account_id="t2x9",
    account_name="ada_l",
    dead=(
        (Answer(400, json={"error": 400}), "expired"),
        (Answer(400, json={"message": "Bad Request", "error": 400}), "expired"),
        (Answer(400, json={"error": "invalid_request"}), "expired"),
    ),
    dead_token=((Answer(401, json={"message": "Unauthorized", "error": 401}), "revoked"),),
    revoked=Answer(204),
    revokes=("refresh-1", "access-1"),
    unrevoked=(Answer(401, json={"message": "Unauthorized", "error": 401}),),
)
