"""`/api/v1/plugin/social-media-publisher/social`: read the request, call a verb and
words its result."""

from functools import partial
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.errors import invalid_field
from connections_project.api.serializers import flag, serialize_rows, validated
from connections_project.api.views import ApiViewSet
from connections_project.connections.callback import state_and_answer
from connections_project.connections.throttling import CallbackThrottle, ConnectThrottle
from connections_project.connections.viewsets import started
from connections_project.identity.callers import caller_of, possible_caller_of
from connections_project.identity.models import Scope
from connections_project.identity.origins import origin_of
from connections_project.identity.team_authentication import TeamAuthentication
from connections_project.platforms.help_link import help_link
from social import connect, disconnect, publish
from social.api import serializers as bodies
from social.api import throttling
from social.api.documentation import endpoints as documentation
from social.api.permissions import HasScope
from social.models import SocialAccount
from social.publications import PublishRequest
from social.selectors import team_accounts

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255


class SocialViewSet(ApiViewSet):
    """A team's social accounts, for its members and for programs with its key."""

    authentication_classes = (TeamAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (throttling.WriteThrottle,)
    action_throttles: ClassVar = {
        "accounts": throttling.ReadThrottle,
        "connect": ConnectThrottle,
        "callback": CallbackThrottle,
    }

    @property
    def scope(self) -> Scope:
        return {"accounts": Scope.READ, "publish": Scope.PUBLISH}.get(self.action, Scope.WRITE)

    @documentation.CONNECT
    def connect(self, request: Request) -> Response:
        body = validated(bodies.SocialConnectRequest, request)
        begin = partial(
            connect.begin,
            platform=body["platform"],
            redirect_uri=body["redirect_uri"],
            account_ids=[bodies.account_id(text) for text in body["accountIds"] or ()],
            caller=caller_of(request),
        )
        return started(request, begin, bodies.connect_answer)

    @documentation.CALLBACK
    def callback(self, request: Request) -> Response:
        state, answer = state_and_answer(request)
        caller = possible_caller_of(request)
        stored = connect.complete_grant(
            state=state,
            answer=answer,
            caller=caller.principal if caller else None,
            origin=origin_of(request),
        )
        return Response(bodies.callback_answer(stored), status=201)

    @documentation.ACCOUNTS
    def accounts(self, request: Request) -> Response:
        wanted = flag(request, "active") if "active" in request.query_params else None
        rows = team_accounts(caller_of(request).team_id, active=wanted)
        return Response({"accounts": serialize_rows(bodies.SocialAccountAnswer, rows)})

    @documentation.DISCONNECT
    def disconnect(self, request: Request) -> Response:
        body = validated(bodies.SocialDisconnectRequest, request)
        return _disconnected(self._disconnect(request, body["accountId"]))

    @documentation.DISCONNECT_BY_PATH
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002 - as everywhere.
        return _disconnected(self._disconnect(request, id))

    @documentation.PUBLISH
    def publish(self, request: Request) -> Response:
        body = validated(bodies.SocialPublishRequest, request)
        wanted = PublishRequest(
            account_id=bodies.account_id(body["accountId"]),
            caption=body["caption"],
            image_url=body["imageUrl"],
            idempotency_key=_idempotency_key(request),
        )
        team_id = caller_of(request).team_id
        account, published = publish.publish_own(wanted, team_id=team_id, origin=origin_of(request))
        return Response(bodies.publish_answer(account, published))

    def _disconnect(self, request: Request, text: str) -> SocialAccount:
        return disconnect.disconnect_own(
            account_id=bodies.account_id(text),
            team_id=caller_of(request).team_id,
            origin=origin_of(request),
        )


def _disconnected(account: SocialAccount) -> Response:
    headers = help_link(account.platform)
    return Response(bodies.disconnect_answer(account), headers=headers)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return None
    # Some clients send it as a structured field's string (RFC 8941, section 3.3.3), in quotes.
    key = key.strip().removeprefix('"').removesuffix('"')
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"Give 1 to {LONGEST_KEY} printable ASCII characters."
        raise invalid_field(IDEMPOTENCY_KEY, code="invalid", message=message)
    return key
