"""Routes of the webhooks, mounted at /api/v1/webhooks/."""

from django.urls import path

from connections_project.webhooks.sender import webhook_senders
from connections_project.webhooks.views import SecurityEventViewSet, WebhookViewSet

urlpatterns = [
    path(address, WebhookViewSet.as_view({**actions}), {"sender": sender})
    for sender in webhook_senders()
    for address, actions in sender.actions.items()
] + [path("security-events/<str:name>", SecurityEventViewSet.as_view({"post": "receive"}))]
