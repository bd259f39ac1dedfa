"""Channel connections, as the OpenAPI document has them."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from channels.api import serializers as bodies
from channels.api.documentation import samples
from channels.api.documentation.errors import channel_endpoint
from channels.models import Status
from connections_project.api.documentation import (
    PAGE,
    WITH_BODY,
    WRONG_PAGE,
    answer,
    asked,
    sample_page,
)
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import API_READ, API_WRITE, PROVIDER_CONNECT, PROVIDER_SYNC
from connections_project.connections.documentation import CALLBACK_PARAMETERS, help_link
from connections_project.connections.errors import CONNECTING_LATER, REFRESHING_LATER
from connections_project.connections.serializers import ConnectAnswer, RefreshRequest

CHANNELS = ["channels"]
CONNECTION_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="A connection's.")
OF_OWN = (
    "unauthorized",
    "INVALID_CONNECTION_ID",
    "CONNECTION_NOT_FOUND",
    "CONNECTION_ACCESS_DENIED",
)
HELP_LINK = help_link("channel", 200)
LATER = {"service_unavailable": CONNECTING_LATER}

CONNECT = channel_endpoint(
    "start_connecting_channel",
    tags=CHANNELS,
    summary="Start connecting a channel",
    description="The first of three steps, as with providers: keep the `state`, send the user's "
    "browser to `authorization_url`, and pass what comes back to `POST "
    "/api/v1/channels/callback` within `expires_in` seconds. The answer sets a cookie, which only "
    "the service's own callback page reads.",
    request=bodies.ChannelConnectRequest,
    examples=[asked(samples.CONNECT_REQUEST)],
    answers={200: answer("Started.", ConnectAnswer, started=samples.STARTED)},
    refusals=("unauthorized", *WITH_BODY, "CHANNEL_NOT_FOUND", "CHANNEL_UNAVAILABLE"),
    details=LATER,
    wrong=FieldError(
        "redirect_uri", "unregistered", "Give exactly one of the channel's registered addresses."
    ),
    limit=PROVIDER_CONNECT,
)
CALLBACK = channel_endpoint(
    "complete_connecting_channel",
    tags=CHANNELS,
    summary="Complete a connection with what the channel sent back",
    description="The state is the proof, so nobody has to be signed in; a Bearer that is sent "
    "must be that of whoever started. Each state can be used once. Connecting an account again "
    "makes a new connection, and the old one stays `disconnected`. Where its connection was "
    "`expired` or in `error`, the new one takes its place, with what is scheduled on it. An "
    "account that is `connected` keeps its connection, which takes the fresh credentials: that is "
    "answered by 409, with its `id` in `meta`.",
    auth=[{"bearer": []}, {}],
    parameters=CALLBACK_PARAMETERS,
    answers={201: answer("Connected.", bodies.ChannelAnswer, connected=samples.CONNECTION)},
    refusals=(
        "unauthorized",
        "INVALID_STATE",
        "AUTHORIZATION_DECLINED",
        "CHANNEL_NOT_FOUND",
        "ALREADY_CONNECTED",
        "OAUTH_FAILED",
        "CHANNEL_UNAVAILABLE",
    ),
    details=LATER,
    wrong=FieldError("code", "required", "This parameter is required."),
    limit=PROVIDER_CONNECT,
)
LIST = channel_endpoint(
    "list_channel_connections",
    tags=CHANNELS,
    summary="List channel connections",
    description="The connections of whoever is signed in, newest first; disconnected ones too, "
    "until they are soft-deleted.",
    parameters=[
        OpenApiParameter("status", str, enum=Status.values, description="Only in this status."),
        OpenApiParameter("channel", str, description="Only of this channel: its slug."),
        *PAGE,
    ],
    answers={200: answer("A page.", bodies.ChannelPage, page=sample_page(samples.CONNECTION))},
    refusals=("unauthorized",),
    wrong=WRONG_PAGE,
    limit=API_READ,
)
GET = channel_endpoint(
    "get_channel_connection",
    tags=CHANNELS,
    summary="Get a channel connection",
    description="Where one connection stands; a disconnected one too, until it is soft-deleted.",
    parameters=[CONNECTION_ID],
    answers={200: answer("The connection.", bodies.ChannelAnswer, one=samples.CONNECTION)},
    refusals=OF_OWN,
    limit=API_READ,
)
PUBLISH_EVENTS = channel_endpoint(
    "list_publish_events",
    tags=CHANNELS,
    summary="List what was published through a connection",
    description="What the channel made of each post, newest first; also after a disconnect.",
    parameters=[CONNECTION_ID, *PAGE],
    answers={200: answer("A page.", bodies.PublishEventPage, page=sample_page(samples.PUBLISHED))},
    refusals=OF_OWN,
    wrong=WRONG_PAGE,
    limit=API_READ,
)
DISCONNECT = channel_endpoint(
    "disconnect_channel",
    tags=CHANNELS,
    summary="Disconnect a channel; may be repeated",
    description="The credentials are erased here at once, and revoked at the channel where it has "
    "a way for that; `disconnected` is final. A channel with pending or queued schedules is "
    "refused, with their whole count and the first 100 ids, unless `cancel_schedules` cancels "
    "them with it. Schedules, publish events and the audit log stay. Repeating it changes nothing "
    "and answers the same.",
    parameters=[
        CONNECTION_ID,
        OpenApiParameter(
            "cancel_schedules", bool, description="Cancel what is scheduled on it too."
        ),
        OpenApiParameter(
            "soft_delete", bool, description="Take it from sight as well, also later on."
        ),
        HELP_LINK,
    ],
    answers={
        200: answer(
            "Disconnected.", bodies.ChannelDisconnectAnswer, disconnected=samples.DISCONNECTED
        )
    },
    refusals=(*OF_OWN, "SERVICE_ACCOUNT_NOT_ALLOWED", "CONNECTION_HAS_ACTIVE_SCHEDULES"),
    wrong=FieldError("cancel_schedules", "invalid", "Give true or false."),
    limit=API_WRITE,
)
REFRESH = channel_endpoint(
    "refresh_channel",
    tags=CHANNELS,
    summary="Refresh the channel's tokens",
    description="Done when it answers. Nobody has to call this: tokens are refreshed when they "
    "are used. Unforced, a token that is good for a while yet is left alone. Where the channel "
    "says that the grant is dead, the answer is 502 and the connection `expired`, or in `error` "
    "where it says that the access was taken back; after any other failure it stays as it was.",
    parameters=[CONNECTION_ID],
    request=RefreshRequest,
    examples=[asked({"force": False})],
    answers={200: answer("Good tokens are there.", bodies.ChannelAnswer, one=samples.CONNECTION)},
    refusals=(
        *OF_OWN,
        *WITH_BODY,
        "CONNECTION_INACTIVE",
        "NO_REFRESH_TOKEN",
        "REFRESH_FAILED",
        "CHANNEL_UNAVAILABLE",
    ),
    details={"service_unavailable": REFRESHING_LATER},
    wrong=FieldError("force", "invalid", "Must be a valid boolean."),
    limit=PROVIDER_SYNC,
)
