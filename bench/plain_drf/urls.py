"""The product's paths, so that both are sent the same requests."""

from django.urls import path

from bench.plain_drf.views import Detail, Disconnect, ListAll, Login

urlpatterns = [
    path("api/v1/auth/login", Login.as_view()),
    path("api/v1/auth/<uuid:id>/disconnect", Disconnect.as_view()),
    path("api/v1/providers", ListAll.as_view()),
    path("api/v1/providers/<uuid:id>", Detail.as_view()),
]
