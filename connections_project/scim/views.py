"""`/scim/v2`: what directories call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, ForbiddenException, Meta, NotImplementedException

from connections_project.api.errors import ApiException, service_busy
from connections_project.api.views import ApiViewSet
from connections_project.core.places import NoPlaceError, a_place
from connections_project.identity import models
from connections_project.operations.leaver_receipt import (
    NotALeaverError,
    has_leaver_receipt,
    issue_leaver_receipt,
)
from connections_project.scim import users
from connections_project.scim.authentication import (
    ScimThrottle,
    ScimTokenAuthentication,
    scim_origin,
    token_of,
)
from connections_project.scim.lists import written_list
from connections_project.scim.media import ScimJsonParser, ScimParser, ScimRenderer
from connections_project.scim.patches import is_filtered, parsed, patch_of, patched
from connections_project.scim.queries import page_of
from connections_project.scim.resources import location_of, resource_of
from connections_project.scim.schemas import (
    CONFIG,
    POLICY,
    PROVIDER,
    DescriptionList,
    SentUser,
    UserParameters,
    UserSearch,
)

SERVED: Mapping[str, tuple[Any, ...]] = {
    "ResourceTypes": PROVIDER.resource_types,
    "Schemas": PROVIDER.schemas,
}


@extend_schema(exclude=True)
class ScimViewSet(ApiViewSet):
    """SCIM describes itself by its own /Schemas, so that the API's document leaves it out."""

    authentication_classes = (ScimTokenAuthentication,)
    throttle_classes = (ScimThrottle,)
    renderer_classes = (ScimRenderer,)
    parser_classes = (ScimParser, ScimJsonParser)
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]


class DiscoveryViewSet(ScimViewSet):
    """What the service is and has (RFC 7644, section 4)."""

    def config(self, request: Request) -> Response:
        _refuse_filter(request)
        return _answer(_described(CONFIG, "ServiceProviderConfig"))

    def list(self, request: Request, kind: str) -> Response:
        _refuse_filter(request)
        found = [_described(one, kind) for one in SERVED[kind]]
        listed: Any = DescriptionList(
            total_results=len(found), start_index=1, items_per_page=len(found), resources=found
        )
        return _answer(listed)

    def retrieve(self, request: Request, kind: str, name: str) -> Response:  # noqa: ARG002
        for one in SERVED[kind]:
            if str(one.id).casefold() == name.casefold():
                return _answer(_described(one, kind))
        raise Http404


class UnofferedViewSet(ScimViewSet):
    """What RFC 7644 has and the service does not offer (sections 3.11 and 3.12)."""

    def refuse(self, request: Request) -> Response:  # noqa: ARG002 (DRF's signature)
        raise NotImplementedException(detail="This is not offered; see /ServiceProviderConfig.")


@contextmanager
def _place(kind: str) -> Iterator[None]:
    """Leave threads for others."""
    try:
        with a_place(kind):
            yield
    except NoPlaceError:
        raise ApiException(service_busy(retry_after=1)) from None


class UserViewSet(ScimViewSet):
    """The people of the token's issuer."""

    def list(self, request: Request) -> Response:
        wanted = parsed(
            lambda: UserSearch.model_validate(request.query_params.dict(), scim_policy=POLICY)
        )
        # What is filtered for is one person, whom directories look up again and again.
        with nullcontext() if wanted.filter is not None else _place("scim_lists"):
            return self._page(request, wanted)

    def create(self, request: Request) -> Response:
        shape, wanted = _shape(request), _resource(request, Context.RESOURCE_CREATION_REQUEST)
        user = users.create(token_of(request).issuer, wanted, origin=scim_origin(request))
        answer = _one(user, shape, Context.RESOURCE_CREATION_RESPONSE, status=201)
        answer.headers["Location"] = location_of(user)
        return answer

    def retrieve(self, request: Request, user_id: str) -> Response:
        user = users.find(token_of(request).issuer, user_id)
        return _one(user, _shape(request), Context.RESOURCE_QUERY_RESPONSE)

    def replace(self, request: Request, user_id: str) -> Response:
        shape, wanted = _shape(request), _resource(request, Context.RESOURCE_REPLACEMENT_REQUEST)

        def replaced(known: SentUser) -> SentUser:
            # Immutable from the moment it is given (RFC 7643, section 2.2), not before.
            known.external_id = known.external_id or wanted.external_id
            wanted.replace(known)
            return wanted

        user = self._changed(request, user_id, replaced)
        return _one(user, shape, Context.RESOURCE_REPLACEMENT_RESPONSE)

    def modify(self, request: Request, user_id: str) -> Response:
        shape, body = _shape(request), dict(request.data)
        patch = patch_of(body)
        with _place("scim_filters") if is_filtered(body) else nullcontext():
            user = self._changed(request, user_id, lambda known: patched(known, patch))
        return _one(user, shape, Context.RESOURCE_PATCH_RESPONSE)

    def destroy(self, request: Request, user_id: str) -> Response:
        users.delete(token_of(request).issuer, user_id, origin=scim_origin(request))
        return Response(status=204)

    def leaver_receipt(self, request: Request, user_id: str) -> Response:
        user = users.find(token_of(request).issuer, user_id)
        try:
            return Response({"receipt": issue_leaver_receipt(user)})
        except NotALeaverError:
            raise Http404 from None

    def _page(self, request: Request, wanted: Any) -> Response:
        page, total = page_of(token_of(request).issuer, wanted)
        return Response(written_list(page, total, wanted))

    def _changed(self, request: Request, user_id: str, revise: users.Revision) -> models.User:
        return users.change(token_of(request).issuer, user_id, revise, origin=scim_origin(request))


def _shape(request: Request) -> Any:
    """Read which attributes the answer is to have, before anything is done: a 400 does nothing."""
    return parsed(
        lambda: UserParameters.model_validate(request.query_params.dict(), scim_policy=POLICY)
    )


def _one(user: models.User, shape: Any, context: Context, *, status: int = 200) -> Response:
    content = resource_of(user).model_dump(scim_ctx=context, response_parameters=shape)
    answer = Response(content, status=status)
    if has_leaver_receipt(user):
        answer.headers["Link"] = f'<{location_of(user)}/leaver-receipt>; rel="related"'
    return answer


def _resource(request: Request, context: Context) -> SentUser:
    return parsed(
        lambda: SentUser.model_validate(request.data, scim_ctx=context, scim_policy=POLICY)
    )


def _answer(content: Any) -> Response:
    return Response(content.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _described(resource: Any, kind: str) -> Any:
    """Return what the service is, with where that is said of it."""
    name = f"/{resource.id}" if resource.id else ""
    meta = Meta(
        resource_type=kind.removesuffix("s"), location=f"{settings.PUBLIC_URL}/scim/v2/{kind}{name}"
    )
    return resource.model_copy(update={"meta": meta})


def _refuse_filter(request: Request) -> None:
    """Refuse what RFC 7644, section 4, has refused: attempts to retrieve a part of it."""
    if "filter" in request.query_params:
        raise ForbiddenException(detail="What the service is can't be filtered.")
