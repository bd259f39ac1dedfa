"""`POST /api/v1/connect-sessions`: a link to a person's page, for the application to open."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import WITH_BODY, answer, asked, endpoint
from connections_project.api.errors import FieldError
from connections_project.api.fields import Several, Text
from connections_project.api.rate_limits import PROVIDER_CONNECT
from connections_project.api.serializers import validated
from connections_project.api.views import ApiViewSet
from connections_project.connections.throttling import ConnectThrottle
from connections_project.identity.external_tokens import LONGEST_SUBJECT
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of
from connections_project.pages import sessions
from connections_project.pages.owners import owner_of
from connections_project.platforms.catalog import catalog

WRONG_RETURN = "Give an address whose origin is one of RETURN_URL_ORIGINS."
SAMPLE_URL = "https://connections.example.com/connections?session=…"
DESCRIPTION = """
The `url` opens the person's page (`/connections`) without a sign-in: in the one browser that opens
it first, until it ends after `expires_in` seconds. Open it in the person's browser, and hand it to
nobody else: whoever opens it first is taken for that person.

A user gets a link to the own page. A service account with the permission `act_for_users`
(`manage.py create_service_account EMAIL --act-for-users`) names the `owner` as its issuer does; who
has never been here is made known by that. People without an external issuer are named by this
service's own address and their `principal_id`.

With a `return_url` the browser goes there at the end of each flow that was started on the page,
with `connection_id` and `status` (`connected`, `declined`, `failed`) in the query.
"""


class OwnerSerializer(serializers.Serializer[Any]):
    issuer = Text(max_length=255, trim_whitespace=False)
    subject = Text(max_length=LONGEST_SUBJECT, trim_whitespace=False)


class ConnectSessionSerializer(serializers.Serializer[Any]):
    platforms = Several(
        child=Text(max_length=64),
        required=False,
        allow_null=True,
        default=None,
        allow_empty=False,
        max_length=100,
        help_text="Slugs of what is offered to connect; without it, everything.",
    )
    return_url = Text(
        max_length=2048,
        required=False,
        allow_null=True,
        default=None,
        trim_whitespace=False,
        help_text="Where the browser goes when a flow is over.",
    )
    owner = OwnerSerializer(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whose page it is; for service accounts, which must name one.",
    )

    def validate_platforms(self, slugs: list[str] | None) -> list[str]:
        for slug in slugs or []:
            found = catalog().get(slug)
            if found is None or found.status != "active":
                raise ValidationError("Give slugs of active platforms.", code="invalid_choice")
        return list(dict.fromkeys(slugs or []))

    def validate_return_url(self, url: str | None) -> str:
        if url is None:
            return ""
        if not is_allowed_return(url):
            raise ValidationError(WRONG_RETURN, code="invalid")
        return url


class ConnectSessionAnswer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="The link; it is shown here and nowhere else.")
    expires_in = serializers.IntegerField(help_text="Seconds until it ends.")


def is_allowed_return(url: str) -> bool:
    """Whether people may be sent to an address: its origin is one of RETURN_URL_ORIGINS."""
    # Browsers read a backslash as a slash, and drop what isn't printable (URL Standard, 4.4).
    if not url.isprintable() or any(sign in url for sign in "\\# "):
        return False
    try:
        return _origin(urlsplit(url)) in settings.RETURN_URL_ORIGINS
    except ValueError:
        return False


def _origin(parts: SplitResult) -> str:
    """Return the origin as browsers write it; "" for what people must not be sent to."""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    own_port = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port not in {None, own_port} else ""
    return f"{parts.scheme}://{host}{port}"


DOCUMENTATION = endpoint(
    "create_connect_session",
    tags=["connections"],
    summary="Make a link to a person's page",
    description=DESCRIPTION.strip(),
    request=ConnectSessionSerializer,
    examples=[
        asked(
            {
                "platforms": ["schwab"],
                "return_url": "https://app.example.com/settings",
                "owner": {"issuer": "https://id.example.com", "subject": "00u1a2b3"},
            }
        )
    ],
    answers={
        201: answer("The link.", ConnectSessionAnswer, one={"url": SAMPLE_URL, "expires_in": 1800})
    },
    refusals=("unauthorized", "forbidden", *WITH_BODY),
    wrong=FieldError("return_url", "invalid", WRONG_RETURN),
    limit=PROVIDER_CONNECT,
)


class ConnectSessionViewSet(ApiViewSet):
    """Links to people's pages."""

    throttle_classes = (ConnectThrottle,)

    @DOCUMENTATION
    def create(self, request: Request) -> Response:
        body = validated(ConnectSessionSerializer, request)
        caller, origin = principal_of(request), origin_of(request)
        link = sessions.begin(
            user=owner_of(body["owner"], caller=caller, address=origin.client_address or ""),
            made_by=caller,
            platforms=body["platforms"] or (),
            return_url=body["return_url"] or "",
            origin=origin,
        )
        return Response({"url": link.url, "expires_in": link.expires_in}, status=201)
