"""`GET /api/v1/connections`: the caller's connections of all apps."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import PAGE, SAMPLE_ID, answer, endpoint
from connections_project.api.errors import FieldError
from connections_project.api.pagination import paginate
from connections_project.api.rate_limits import API_READ
from connections_project.api.serializers import choice, flag
from connections_project.api.views import ApiViewSet
from connections_project.connections.attention import AttentionReason
from connections_project.connections.overview import Overview, own_connections
from connections_project.connections.registry import connection_types
from connections_project.connections.throttling import ReadThrottle
from connections_project.core.parsing import render_datetime
from connections_project.identity.principals import principal_of

SAMPLE = {
    "id": SAMPLE_ID,
    "app": "providers",
    "platform": "schwab",
    "account_name": "Ada Lovelace",
    "status": "expired",
    "needs_attention": {
        "reason": "grant_expired",
        "since": "2025-12-01T10:00:00Z",
        "ends_at": None,
    },
    "connected_at": "2025-11-01T10:00:00Z",
    "disconnected_at": None,
}
PAGINATION = {
    "page": 1, "limit": 20, "total": 1, "total_pages": 1, "has_next": False, "has_prev": False,
}  # fmt: skip


class Attention(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=AttentionReason.values)
    since = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Of a grant that is ending.")


class OverviewSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    app = serializers.CharField()
    platform = serializers.CharField()
    account_name = serializers.CharField(help_text="May be empty.")
    status = serializers.CharField(help_text="In the app's own words.")
    needs_attention = Attention(allow_null=True)
    connected_at = serializers.DateTimeField(allow_null=True)
    disconnected_at = serializers.DateTimeField(allow_null=True)


class OverviewPage(serializers.Serializer[Any]):
    data = OverviewSerializer(many=True)  # type: ignore[assignment]  # The base has a property.
    pagination = serializers.DictField()


DOCUMENTATION = endpoint(
    "list_all_connections",
    tags=["connections"],
    summary="List all connections",
    description="The caller's own connections and those of its teams, of all apps, newest first. "
    "What was deleted is left out. `status` is in the words of each app; social accounts are "
    "`active` or `disconnected`.",
    parameters=[
        OpenApiParameter("app", str, description="Of this app alone."),
        OpenApiParameter("status", str, description="In this status alone."),
        OpenApiParameter("needs_attention", bool, description="Only those that do, or do not."),
        *PAGE,
    ],
    answers={
        200: answer("A page of connections.", OverviewPage,
                    one={"data": [SAMPLE], "pagination": PAGINATION}),
    },
    refusals=("unauthorized",),
    wrong=FieldError("app", "invalid_choice", "Give one of the apps."),
    limit=API_READ,
)  # fmt: skip


class ConnectionViewSet(ApiViewSet):
    """Connections of all apps."""

    throttle_classes = (ReadThrottle,)

    @DOCUMENTATION
    def list(self, request: Request) -> Response:
        statuses = dict.fromkeys(status for one in connection_types() for status in one.statuses)
        rows = own_connections(
            principal_of(request),
            app=choice(request, "app", [one.app for one in connection_types()]),
            status=choice(request, "status", list(statuses)),
            needs_attention=_needs_attention(request),
        )
        page, pagination = paginate(rows, request)
        data = [_serialized(Overview(*row)) for row in page]
        return Response({"data": data, "pagination": pagination})


def _needs_attention(request: Request) -> bool | None:
    asked = "needs_attention" in request.query_params
    return flag(request, "needs_attention") if asked else None


def _serialized(row: Overview) -> dict[str, Any]:
    attention = row.needs_attention
    return {
        "id": str(row.id),
        "app": row.app,
        "platform": row.platform,
        "account_name": row.account_name,
        "status": row.status,
        "needs_attention": attention and {**attention, **_times(attention)},
        **_times({"connected_at": row.connected_at, "disconnected_at": row.disconnected_at}),
    }


def _times(values: dict[str, Any]) -> dict[str, str | None]:
    return {
        name: value and render_datetime(value)
        for name, value in values.items()
        if not isinstance(value, str)
    }
