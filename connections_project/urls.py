"""All addresses of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from connections_project.api.pages import documentation_page
from connections_project.api.schema import SchemaView
from connections_project.connections.callback_page import CallbackPage
from connections_project.connections.registry import connection_types
from connections_project.connections.views import ConnectionViewSet
from connections_project.core.health import healthz, readyz
from connections_project.events.views import EventViewSet
from connections_project.identity.api.views import MeViewSet
from connections_project.metrics.view import metrics
from connections_project.pages.api import ConnectSessionViewSet
from connections_project.platforms.views import PlatformViewSet
from connections_project.receipts.keys import jwks
from connections_project.receipts.views import ReceiptViewSet
from connections_project.scim.global_revocation import GlobalRevocationViewSet
from connections_project.scim.routes import scim_routes
from connections_project.webhooks.views import data_deletion

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/auth/", include("connections_project.identity.api.urls")),
    path("api/v1/me", MeViewSet.as_view({"get": "retrieve"}), name="me"),
    path("api/v1/platforms", PlatformViewSet.as_view({"get": "list"})),
    path("api/v1/receipts/<str:connection_id>", ReceiptViewSet.as_view({"get": "retrieve"})),
    path("api/v1/events", EventViewSet.as_view({"get": "list"})),
    path("api/v1/connections", ConnectionViewSet.as_view({"get": "list"})),
    path("api/v1/connect-sessions", ConnectSessionViewSet.as_view({"post": "create"})),
    path(".well-known/jwks.json", jwks, name="jwks"),
    path("api/v1/webhooks/", include("connections_project.webhooks.urls")),
    *(path("api/v1/", include(one.api.urls)) for one in connection_types() if one.api),
    path("api/v1/global-token-revocation", GlobalRevocationViewSet.as_view({"post": "revoke"})),
    scim_routes("scim/v2/"),
    path("data-deletion/<str:confirmation_code>", data_deletion, name="data-deletion"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("docs/<slug:name>.md", documentation_page, name="docs-page"),
    path("oauth/callback/<str:slug>", CallbackPage.as_view(), name="oauth-callback"),
    path("", include("connections_project.identity.single_sign_on.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("", include("connections_project.identity.urls")),
    path("", include("connections_project.pages.urls")),
    path("", RedirectView.as_view(pattern_name="connections"), name="home"),
]
