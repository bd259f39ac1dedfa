"""Routes of the webhooks, mounted at /api/v1/webhooks/."""

from django.urls import path

from connections_project.webhooks.views import WebhookViewSet

urlpatterns = [
    path("meta/deauthorize", WebhookViewSet.as_view({"post": "meta_deauthorize"})),
    path("meta/data-deletion", WebhookViewSet.as_view({"post": "meta_data_deletion"})),
    path("tiktok", WebhookViewSet.as_view({"post": "tiktok"})),
    path("google-risc", WebhookViewSet.as_view({"post": "google_risc"})),
]
