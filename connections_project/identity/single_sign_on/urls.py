"""Routes of operators' single sign-on, mounted at the root."""

from django.urls import path

from connections_project.identity.single_sign_on.views import CallbackView, SignInView

urlpatterns = [
    path("admin/sso", SignInView.as_view(), name="operators-sso"),
    path("admin/sso/callback", CallbackView.as_view(), name="operators-sso-callback"),
]
