"""`GET /api/v1/platforms`: what can be connected, for anybody to see."""

from collections.abc import Collection
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import answer, endpoint
from connections_project.api.errors import ApiException, FieldError, validation_error
from connections_project.api.views import ApiViewSet
from connections_project.oauth.catalog import Platform
from connections_project.platforms.capabilities import publishes
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import available_slugs

APPS: tuple[str, ...] = catalog().apps
MESSAGE = f"Give one of {', '.join(APPS)}."
SAMPLE = {
    "platforms": [
        {
            "app": "providers",
            "slug": "schwab",
            "name": "Charles Schwab",
            "status": "active",
            "available": True,
            "help_url": "https://www.schwab.com/",
            "publishes": False,
        }
    ]
}


PUBLISHES = {
    "oneOf": [
        {"type": "boolean", "enum": [False]},
        {
            "type": "object",
            "required": ["text_max", "image", "options"],
            "properties": {
                "text_max": {"type": "integer"},
                # Generators take no enumeration of several types.
                "image": {
                    "oneOf": [
                        {"type": "boolean", "enum": [False]},
                        {"type": "string", "enum": ["optional", "required"]},
                    ]
                },
                "options": {"type": "object", "additionalProperties": {"type": "object"}},
            },
        },
    ],
    "description": "`false`, or how long a text may be, whether a post takes a picture, and what "
    "else it may or has to say (`options` of `POST /schedules`).",
}


@extend_schema_field(PUBLISHES)
class PublishesField(serializers.JSONField):
    """What can be published at a platform."""


class PlatformSerializer(serializers.Serializer[dict[str, Any]]):
    app = serializers.ChoiceField(choices=APPS)
    slug = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["active", "planned", "unsupported"])
    available = serializers.BooleanField(help_text="Whether it can be connected now.")
    help_url = serializers.CharField(
        help_text="Where a user removes the app by hand; may be empty."
    )
    publishes = PublishesField()


class PlatformListSerializer(serializers.Serializer[dict[str, list[dict[str, Any]]]]):
    platforms = PlatformSerializer(many=True)


DOCUMENTATION = endpoint(
    "list_platforms",
    summary="List platforms",
    description="All platforms of the catalogue. Those that are `available` can be connected now: "
    "active, a client is registered, and operators have not suspended them. Nobody has to be "
    "signed in.",
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
        usable = available_slugs()
        return Response({"platforms": [_described(entry, usable) for entry in found]})


def _described(platform: Platform, usable: Collection[str]) -> dict[str, Any]:
    return {
        "app": platform.app,
        "slug": platform.slug,
        "name": platform.name,
        "status": platform.status,
        "available": platform.slug in usable,
        "help_url": platform.help_url,
        "publishes": publishes(platform),
    }
