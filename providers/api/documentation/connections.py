"""Connections, as the OpenAPI document has them."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from connections_project.api.documentation import WITH_BODY, answer, asked, endpoint
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import API_READ, API_WRITE, PROVIDER_CONNECT, PROVIDER_SYNC
from connections_project.connections.documentation import CALLBACK_PARAMETERS, help_link
from connections_project.connections.errors import CONNECTING_LATER, REFRESHING_LATER
from connections_project.connections.serializers import ConnectAnswer, RefreshRequest
from providers.api import serializers as bodies
from providers.api.documentation import samples

PROVIDERS = ["providers"]
CONNECTION_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="A connection's.")
OF_OWN = ("unauthorized", "forbidden", "not_found")
WORDS_OF_OWN = {"forbidden": "This belongs to somebody else.", "not_found": "Connection not found"}
HELP_LINK = help_link("provider", 200, 204)

LIST = endpoint(
    "list_connections",
    tags=PROVIDERS,
    summary="List connections",
    description="All connections of whoever is signed in, newest first, disconnected ones too. "
    "Both counts speak of all of them, whatever the filter.",
    parameters=[OpenApiParameter("active_only", bool, description="Only active ones.")],
    answers={200: answer("The connections.", bodies.ConnectionListAnswer, one=samples.LIST)},
    refusals=("unauthorized",),
    wrong=FieldError("active_only", "invalid", "Give true or false."),
    limit=API_READ,
)
CONNECT = endpoint(
    "start_connecting",
    tags=PROVIDERS,
    summary="Start connecting a provider",
    description="The first of three steps:\n\n"
    "1. Call this, keep the `state`, and send the user's browser to `authorization_url`.\n"
    "2. The user consents there, and the provider sends the browser to the redirect URI with "
    "`code` and `state`. Compare this state with the one that you kept.\n"
    "3. Pass both to `POST /api/v1/providers/callback` within `expires_in` seconds.\n\n"
    "With `connection_id` an own connection is authorised anew in place: it keeps its id, its "
    "accounts and its history. The answer sets a cookie, which only the service's own callback "
    "page reads.",
    request=bodies.ConnectRequest,
    examples=[asked(samples.CONNECT_REQUEST)],
    answers={201: answer("Started.", ConnectAnswer, started=samples.STARTED)},
    refusals=(*OF_OWN, *WITH_BODY, "provider_unavailable"),
    details={
        **WORDS_OF_OWN,
        "not_found": "Provider not supported",
        "provider_unavailable": "This provider can't be used at the moment.",
        "service_unavailable": CONNECTING_LATER,
    },
    wrong=FieldError(
        "redirect_uri", "unregistered", "Give exactly one of the provider's registered addresses."
    ),
    limit=PROVIDER_CONNECT,
)
CALLBACK = endpoint(
    "complete_connecting",
    tags=PROVIDERS,
    summary="Complete a connection with what the provider sent back",
    description="The state is the proof, so nobody has to be signed in; a Bearer that is sent "
    "must be that of whoever started. Each state can be used once. An account that is connected "
    "already keeps its connection, which takes the fresh credentials.",
    auth=[{"bearer": []}, {}],
    parameters=CALLBACK_PARAMETERS,
    answers={201: answer("Connected.", bodies.ConnectionAnswer, connected=samples.CONNECTED)},
    refusals=(
        "invalid_state",
        "authorization_declined",
        "unauthorized",
        "provider_error",
        "provider_unavailable",
    ),
    details={
        "invalid_state": "The state is unknown, expired or used. Start connecting again.",
        "authorization_declined": "The provider reports that access was not granted.",
        "provider_error": "The provider did not complete the connection.",
        "provider_unavailable": "This provider can't be used at the moment.",
        "service_unavailable": CONNECTING_LATER,
    },
    wrong=FieldError("code", "required", "This parameter is required."),
    limit=PROVIDER_CONNECT,
)
GET = endpoint(
    "get_connection",
    tags=PROVIDERS,
    summary="Get a connection",
    description="Where one connection stands; a disconnected one too, until it is deleted.",
    parameters=[CONNECTION_ID],
    answers={200: answer("The connection.", bodies.ConnectionAnswer, active=samples.CONNECTION)},
    refusals=OF_OWN,
    details=WORDS_OF_OWN,
    limit=API_READ,
)
RENAME = endpoint(
    "rename_connection",
    tags=PROVIDERS,
    summary="Change a connection's alias",
    description="The alias is all that can be changed; null takes it away.",
    parameters=[CONNECTION_ID],
    request=bodies.RenameRequest,
    examples=[asked({"alias": samples.NEW_ALIAS})],
    answers={200: answer("Renamed.", bodies.ConnectionAnswer, renamed=samples.RENAMED)},
    refusals=(*OF_OWN, *WITH_BODY),
    details=WORDS_OF_OWN,
    wrong=FieldError("alias", "max_length", "Ensure this field has no more than 100 characters."),
    limit=API_WRITE,
)
DISCONNECT_OR_DELETE = endpoint(
    "disconnect_or_delete_connection",
    tags=PROVIDERS,
    summary="Disconnect; or delete from sight what is disconnected already",
    description="The first call disconnects: the credentials are erased here at once and revoked "
    "at the provider where it has a way for that; the connection is still listed, as "
    "`disconnected`, which is final. A second call deletes it from sight. Accounts, transactions "
    "and the audit log stay.",
    parameters=[CONNECTION_ID, HELP_LINK],
    answers={204: answer("Disconnected, or deleted.")},
    refusals=OF_OWN,
    details=WORDS_OF_OWN,
    limit=API_WRITE,
)
DISCONNECT = endpoint(
    "disconnect_connection",
    tags=PROVIDERS,
    summary="Disconnect; may be repeated",
    description="Disconnects as `DELETE /api/v1/providers/{id}` does, and never deletes: calling "
    "it again changes nothing and answers the same. In the words of an older document, missing "
    "or bad credentials are answered 403 here, and somebody else's connection 404.",
    parameters=[CONNECTION_ID, HELP_LINK],
    answers={
        200: answer("Disconnected.", bodies.DisconnectAnswer, disconnected=samples.DISCONNECTED)
    },
    refusals=("forbidden", "not_found"),
    details={
        **WORDS_OF_OWN,
        "forbidden": "Sign in first: the Authorization header is missing or not valid.",
    },
    limit=API_WRITE,
)
REFRESH = endpoint(
    "refresh_tokens",
    tags=PROVIDERS,
    summary="Refresh the provider's tokens",
    description="Done when it answers. Nobody has to call this: tokens are refreshed when they "
    "are used. Unforced, a token that is good for a while yet is left alone. Where the provider "
    "says that the grant is dead, the answer is 502 and the connection `expired` or `revoked`; "
    "after any other failure it stays as it was.",
    parameters=[CONNECTION_ID],
    request=RefreshRequest,
    examples=[asked({"force": False})],
    answers={201: answer("Good tokens are there.", bodies.RefreshAnswer, **samples.REFRESHED)},
    refusals=(*OF_OWN, *WITH_BODY, "provider_error", "provider_unavailable"),
    details={
        **WORDS_OF_OWN,
        "forbidden": "This belongs to somebody else, its status does not allow this, or the "
        "provider gave nothing to refresh with.",
        "provider_error": "The provider did not refresh the tokens.",
        "provider_unavailable": "This provider can't be used at the moment.",
        "service_unavailable": REFRESHING_LATER,
    },
    wrong=FieldError("force", "invalid", "Must be a valid boolean."),
    limit=PROVIDER_SYNC,
)
