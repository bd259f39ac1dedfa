"""Where the sandbox answers."""

from django.contrib.auth.views import LoginView, LogoutView
from django.db.transaction import atomic
from django.urls import include, path
from django.views.generic import TemplateView
from oauth2_provider.views import (
    ConnectDiscoveryInfoView,
    JwksInfoView,
    OAuthServerMetadataView,
    RevokeTokenView,
    TokenView,
)

from connections_project.sandbox import issuer
from connections_project.sandbox.consent import ConsentView
from connections_project.sandbox.introspection import IntrospectionView
from connections_project.sandbox.pages import PagesView, PostsView
from connections_project.sandbox.resources import AccountsView, TransactionsView, UserInfoView
from connections_project.sandbox.statuses import StatusesView, TimelineView

# The toolkit finds its endpoints, for its metadata, by these names.
oauth = [
    path(
        ".well-known/oauth-authorization-server",
        OAuthServerMetadataView.as_view(),
        name="oauth-server-metadata",
    ),
    path("oauth/authorize", ConsentView.as_view(), name="authorize"),
    # One at a time, looking included: else two that bring the same refresh token at once both
    # find it fresh, and the reuse goes unseen.
    path("oauth/token", atomic(TokenView.as_view()), name="token"),
    path("oauth/revoke", atomic(RevokeTokenView.as_view()), name="revoke-token"),
    path("oauth/introspect", IntrospectionView.as_view(), name="introspect"),
    path("oauth/userinfo", UserInfoView.as_view(), name="user-info"),
    path(".well-known/openid-configuration", ConnectDiscoveryInfoView.as_view()),
    path("issuer/keys", JwksInfoView.as_view(), name="jwks-info"),
]

urlpatterns = [
    path("", TemplateView.as_view(template_name="sandbox/home.html"), name="home"),
    path("sign-in", LoginView.as_view(template_name="sandbox/sign_in.html"), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("", include((oauth, "oauth2_provider"))),
    path("issuer/token", issuer.token),
    path("api/accounts", AccountsView.as_view()),
    path("api/accounts/<str:account_id>/transactions", TransactionsView.as_view()),
    path("api/pages", PagesView.as_view()),
    path("api/pages/<str:page_id>/posts", PostsView.as_view()),
    path("api/v1/statuses", StatusesView.as_view()),
    path("api/v1/accounts/<str:username>/statuses", TimelineView.as_view()),
]
