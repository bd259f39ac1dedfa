"""Routes of operators' single sign-on, mounted at /admin/sso."""

from django.urls import path

from connections_project.identity.single_sign_on.views import CallbackView, SignInView

urlpatterns = [
    path("", SignInView.as_view(), name="operators-sso"),
    path("/callback", CallbackView.as_view(), name="operators-sso-callback"),
]
