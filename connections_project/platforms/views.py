"""`GET /api/v1/platforms`: what can be connected, for anybody to see."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import answer, endpoint
from connections_project.api.errors import ApiException, FieldError, validation_error
from connections_project.api.views import ApiViewSet
from connections_project.platforms.catalog import catalog

APPS: tuple[str, ...] = catalog().apps
MESSAGE = f"Give one of {', '.join(APPS)}."
SAMPLE = {
    "platforms": [
        {
            "app": "providers",
            "slug": "schwab",
            "name": "Charles Schwab",
            "status": "active",
            "help_url": "https://www.schwab.com/",
        }
    ]
}


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


DOCUMENTATION = endpoint(
    "list_platforms",
    summary="List platforms",
    description="All platforms of the catalogue; those that are `active` can be connected, where "
    "the operator has registered a client. Nobody has to be signed in.",
    tags=["platforms"],
    auth=[],
    parameters=[OpenApiParameter("app", str, enum=APPS, description="Only those of this app.")],
    answers={200: answer("The platforms.", PlatformListSerializer, one=SAMPLE)},
    wrong=FieldError("app", "invalid_choice", MESSAGE),
)


class PlatformViewSet(ApiViewSet):
    """The catalogue's public side."""

    authentication_classes = ()
    permission_classes = ()

    @DOCUMENTATION
    def list(self, request: Request) -> Response:
        app = request.query_params.get("app")
        if app is not None and app not in APPS:
            raise ApiException(validation_error(FieldError("app", "invalid_choice", MESSAGE)))
        found = catalog().of_app(app) if app else catalog().all()
        fields = ("app", "slug", "name", "status", "help_url")
        return Response(
            {"platforms": [{field: getattr(entry, field) for field in fields} for entry in found]}
        )
