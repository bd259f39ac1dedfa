"""The sign-in routes, one call that needs a Bearer, and one that takes a team's key too."""

from django.contrib import admin
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.views import ApiViewSet
from connections_project.identity.api.views import MeViewSet
from connections_project.identity.callers import caller_of
from connections_project.identity.origins import origin_of
from connections_project.identity.team_authentication import TeamAuthentication


class WhoAmIViewSet(ApiViewSet):
    def show(self, request: Request) -> Response:
        origin = origin_of(request)
        return Response({"email": str(request.user), "actor_type": origin.actor_type})


class TeamCallerViewSet(ApiViewSet):
    authentication_classes = (TeamAuthentication,)

    def show(self, request: Request) -> Response:
        caller, origin = caller_of(request), origin_of(request)
        return Response(
            {
                "team_id": str(caller.team_id),
                "actor_type": origin.actor_type,
                "actor_id": str(origin.actor_id),
            }
        )


urlpatterns = [
    path("api/v1/auth/", include("connections_project.identity.api.urls")),
    path("api/v1/me", MeViewSet.as_view({"get": "retrieve"})),
    path("api/v1/whoami", WhoAmIViewSet.as_view({"get": "show"})),
    path("api/v1/team-caller", TeamCallerViewSet.as_view({"get": "show"})),
    path("admin/", admin.site.urls),
    path("", include("connections_project.identity.urls")),
]
