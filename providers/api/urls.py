"""Routes of this app, mounted at /api/v1/. No trailing slashes; ids are read by the views, so that
a malformed one is answered after the credentials were looked at."""

from django.urls import path

from providers.api.views import AccountViewSet, ConnectionViewSet, DisconnectViewSet

urlpatterns = [
    path("providers", ConnectionViewSet.as_view({"get": "list", "post": "create"})),
    path("providers/callback", ConnectionViewSet.as_view({"post": "callback"})),
    path(
        "providers/<str:id>",
        ConnectionViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(
        "providers/<str:id>/token-refreshes", ConnectionViewSet.as_view({"post": "token_refreshes"})
    ),
    path("auth/<str:id>/disconnect", DisconnectViewSet.as_view({"delete": "destroy"})),
    path("accounts", AccountViewSet.as_view({"get": "list"})),
    path("accounts/syncs", AccountViewSet.as_view({"post": "syncs"})),
    path("accounts/<str:id>/transactions", AccountViewSet.as_view({"get": "transactions"})),
]
