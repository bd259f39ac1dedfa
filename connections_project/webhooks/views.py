"""`/api/v1/webhooks`: platforms' notices, read, verified and handed to the verbs; and the page of a
deletion's outcome."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.views import ApiViewSet
from connections_project.core.languages import localized
from connections_project.middleware.trusted_proxies import client_address
from connections_project.webhooks import notices, security_events
from connections_project.webhooks.models import DataDeletion
from connections_project.webhooks.sender import WebhookSender


@extend_schema(exclude=True)
class WebhookViewSet(ApiViewSet):
    """Nobody signs in here: a notice's signature is its proof.

    The forms are the platforms' own, so that the API's document has nothing to say of them.
    """

    authentication_classes = ()
    permission_classes = ()

    # Django's request, not DRF's: `request.data` takes JSON alone.

    def deauthorize(self, request: Request, sender: WebhookSender) -> Response:
        notice = sender.read(request._request)
        notices.apply(notice, client_address=client_address(request._request))
        if sender.accepted_status == 200:
            return Response({})
        return Response(status=sender.accepted_status)

    def challenge(self, request: Request, sender: WebhookSender) -> Response:
        return Response(sender.challenge(request._request) if sender.challenge else {})

    def erase(self, request: Request, sender: WebhookSender) -> Response:
        notice = sender.read(request._request)
        deletion = notices.erase(notice, client_address=client_address(request._request))
        page = reverse("data-deletion", args=[deletion.confirmation_code])
        return Response(
            {"url": f"{settings.PUBLIC_URL}{page}", "confirmation_code": deletion.confirmation_code}
        )


@extend_schema(exclude=True)
class SecurityEventViewSet(ApiViewSet):
    """Events about an issuer's people; the token's signature is its proof."""

    authentication_classes = ()
    permission_classes = ()

    def receive(self, request: Request, name: str) -> Response:
        security_events.receive(request._request, name)
        return Response(status=202)


@require_safe
@never_cache
@localized
def data_deletion(request: HttpRequest, confirmation_code: str) -> HttpResponse:
    """Show what became of a request to have data erased to whoever has its code; names nobody."""
    deletion = get_object_or_404(DataDeletion, pk=confirmation_code)
    return render(request, "webhooks/data_deletion.html", {"deletion": deletion})
