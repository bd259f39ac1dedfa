"""`GET /api/v1/platforms`: what can be connected, for anybody to see."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.http.faults import FaultError, FieldError, validation_fault
from connections_project.http.views import ApiViewSet

APPS = ("providers", "channels", "social")


class PlatformSerializer(serializers.Serializer[dict[str, str]]):
    app = serializers.ChoiceField(choices=APPS)
    slug = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["active", "planned", "unsupported"])
    help_url = serializers.CharField(
        help_text="Where a user removes the app by hand; may be empty."
    )


class PlatformListSerializer(serializers.Serializer[dict[str, list[dict[str, str]]]]):
    platforms = PlatformSerializer(many=True)


class PlatformViewSet(ApiViewSet):
    """The catalogue's public side."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        summary="List platforms",
        tags=["platforms"],
        auth=[],
        parameters=[OpenApiParameter("app", str, enum=APPS)],
        responses=PlatformListSerializer,
    )
    def list(self, request: Request) -> Response:
        app = request.query_params.get("app")
        if app is not None and app not in APPS:
            message = f"Give one of {', '.join(APPS)}."
            raise FaultError(validation_fault(FieldError("app", "invalid_choice", message)))
        found = settings.CATALOG.of_app(app) if app else settings.CATALOG.all()
        fields = ("app", "slug", "name", "status", "help_url")
        return Response(
            {"platforms": [{field: getattr(entry, field) for field in fields} for entry in found]}
        )
