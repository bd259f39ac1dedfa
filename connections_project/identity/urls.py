"""Pages for people, mounted at the root."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from connections_project.identity.views import SignInView

urlpatterns = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(next_page="sign-in"), name="sign-out"),
]
