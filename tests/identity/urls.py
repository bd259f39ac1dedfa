"""The sign-in routes, and one call that needs a Bearer."""

from django.contrib import admin
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.http.views import ApiViewSet
from connections_project.identity.origins import origin_of


class WhoAmIViewSet(ApiViewSet):
    def show(self, request: Request) -> Response:
        origin = origin_of(request)
        return Response({"email": str(request.user), "actor_type": origin.actor_type})


urlpatterns = [
    path("api/v1/auth/", include("connections_project.identity.api.urls")),
    path("api/v1/whoami", WhoAmIViewSet.as_view({"get": "show"})),
    path("admin/", admin.site.urls),
    path("", include("connections_project.identity.urls")),
]
