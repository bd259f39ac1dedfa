"""Social accounts, as the OpenAPI document has them."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from connections_project.api.documentation import WITH_BODY, answer, asked
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import PROVIDER_CONNECT, SOCIAL_READ, SOCIAL_WRITE
from connections_project.connections.documentation import CALLBACK_PARAMETERS, help_link
from connections_project.connections.errors import CONNECTING_LATER, REFRESHING_LATER
from social.api import serializers as bodies
from social.api.documentation import samples
from social.api.documentation.errors import social_endpoint

SOCIAL = ["social"]
CREDENTIALS = ("unauthorized", "forbidden")
OF_TEAM = (*CREDENTIALS, "Invalid account ID format", "Account not found")
MISSING_ID = FieldError("accountId", "required", "This field is required.")
TEAM = OpenApiParameter(
    "x-team-id",
    UUID,
    OpenApiParameter.HEADER,
    description="For which team; required with `x-api-key`, and then the key's own. With a Bearer "
    "any team of the user's, and without it the user's own one.",
)
HELP_LINK = help_link("platform", 200)
LATER = {"service_unavailable": CONNECTING_LATER}
DISCONNECT_WORDS = (
    "Marks the account as inactive. Its tokens stay here, encrypted and unused, until it is "
    "connected again or the operator's retention is over; nothing is sent to the platform. "
    "Disconnecting what is inactive already is an error."
)

CONNECT = social_endpoint(
    "start_connecting_social_accounts",
    tags=SOCIAL,
    summary="Start connecting accounts, or connecting them again",
    description="The first of three steps, as with providers: keep the `state`, send the user's "
    "browser to `authorizationUrl`, and pass what comes back to `callback` within `expiresIn` "
    "seconds. One grant may be for several accounts. Those that were disconnected stay so, unless "
    "`accountIds` names them or the grant is for that account alone. Needs the scope "
    "`social:write`.",
    parameters=[TEAM],
    request=bodies.SocialConnectRequest,
    examples=[asked(samples.CONNECT_REQUEST)],
    answers={201: answer("Started.", bodies.SocialConnectAnswer, started=samples.STARTED)},
    refusals=(
        *CREDENTIALS,
        *WITH_BODY,
        "Unknown platform",
        "Invalid account ID format",
        "Account not found",
        "Platform unavailable",
    ),
    details=LATER,
    wrong=FieldError(
        "redirect_uri", "unregistered", "Give exactly one of the platform's registered addresses."
    ),
    limit=PROVIDER_CONNECT,
)
CALLBACK = social_endpoint(
    "complete_connecting_social_accounts",
    tags=SOCIAL,
    summary="Complete a connection with what the platform sent back",
    description="The state is the proof, so no credentials are needed; a Bearer that is sent must "
    "be that of whoever started, and where a key started, that key or the Bearer of any member of "
    "its team. Each state can be used once. Records are made for new accounts; known ones take "
    "the fresh tokens in place. `accounts` are those that did; those of the grant that were "
    "disconnected and stay so are `skipped`.",
    auth=[{"bearer": []}, {"apiKey": [], "teamId": []}, {}],
    parameters=[TEAM, *CALLBACK_PARAMETERS],
    answers={201: answer("Connected.", bodies.SocialCallbackAnswer, connected=samples.CONNECTED)},
    refusals=(
        *CREDENTIALS,
        "Invalid state",
        "Authorization declined",
        "Unknown platform",
        "Platform error",
        "Platform unavailable",
    ),
    details={**LATER, "Platform error": "The platform did not complete the connection."},
    wrong=FieldError("code", "required", "This parameter is required."),
    limit=PROVIDER_CONNECT,
)
ACCOUNTS = social_endpoint(
    "list_social_accounts",
    tags=SOCIAL,
    summary="List the team's accounts",
    description="Newest first, inactive ones too. Needs the scope `social:read`.",
    parameters=[TEAM, OpenApiParameter("active", bool, description="Only active, or inactive.")],
    answers={200: answer("The accounts.", bodies.SocialAccountListAnswer, one=samples.ACCOUNTS)},
    refusals=CREDENTIALS,
    wrong=FieldError("active", "invalid", "Give true or false."),
    limit=SOCIAL_READ,
)
DISCONNECT = social_endpoint(
    "disconnect_social_account",
    tags=SOCIAL,
    summary="Disconnect an account",
    description=f"{DISCONNECT_WORDS} Needs the scope `social:write`.",
    parameters=[TEAM, HELP_LINK],
    request=bodies.SocialDisconnectRequest,
    examples=[asked(samples.DISCONNECT_REQUEST)],
    answers={
        200: answer("Disconnected.", bodies.SocialDisconnectAnswer, done=samples.DISCONNECTED)
    },
    refusals=(*OF_TEAM, *WITH_BODY, "Account already disconnected", "Failed to disconnect"),
    wrong=MISSING_ID,
    limit=SOCIAL_WRITE,
)
DISCONNECT_BY_PATH = social_endpoint(
    "disconnect_social_account_by_path",
    tags=SOCIAL,
    summary="Disconnect an account, named by the path",
    description=f"The same by another method. {DISCONNECT_WORDS}",
    parameters=[
        TEAM,
        OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="An account of the team."),
        HELP_LINK,
    ],
    answers={
        200: answer("Disconnected.", bodies.SocialDisconnectAnswer, done=samples.DISCONNECTED)
    },
    refusals=(*OF_TEAM, "Account already disconnected", "Failed to disconnect"),
    limit=SOCIAL_WRITE,
)
PUBLISH = social_endpoint(
    "publish_to_social_account",
    tags=SOCIAL,
    summary="Publish a post",
    description="Done when it answers. Give every post an `Idempotency-Key`: a call that comes "
    "again with it within 24 hours gets the first answer, and never makes a second post. Needs "
    "the scope `social:publish`.",
    parameters=[
        TEAM,
        OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            description="The caller's own name for this post: 1 to 255 printable characters.",
        ),
    ],
    request=bodies.SocialPublishRequest,
    examples=[asked(samples.PUBLISH_REQUEST)],
    answers={200: answer("Published.", bodies.SocialPublishAnswer, published=samples.PUBLISHED)},
    refusals=(
        *OF_TEAM,
        *WITH_BODY,
        "Account inactive",
        "Reconnection required",
        "Publication in progress",
        "Publication outcome unknown",
        "Idempotency key reused",
        "Platform error",
        "Platform unavailable",
    ),
    details={"service_unavailable": REFRESHING_LATER},
    wrong=MISSING_ID,
    limit=SOCIAL_WRITE,
)
