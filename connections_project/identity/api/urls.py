"""Routes of signing in, mounted at /api/v1/auth/."""

from django.urls import path

from connections_project.identity.api.views import SessionViewSet

urlpatterns = [
    path("login", SessionViewSet.as_view({"post": "login"}), name="auth-login"),
    path("refresh", SessionViewSet.as_view({"post": "refresh"}), name="auth-refresh"),
    path("logout", SessionViewSet.as_view({"post": "logout"}), name="auth-logout"),
]
