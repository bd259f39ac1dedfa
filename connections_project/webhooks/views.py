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
from connections_project.middleware.trusted_proxies import client_address
from connections_project.webhooks import notices, security_events, signed_requests, tiktok
from connections_project.webhooks.models import DataDeletion


@extend_schema(exclude=True)
class WebhookViewSet(ApiViewSet):
    """Nobody signs in here: a notice's signature is its proof.

    The forms are the platforms' own, so that the API's document has nothing to say of them.
    """

    authentication_classes = ()
    permission_classes = ()

    def meta_deauthorize(self, request: Request) -> Response:
        notice = signed_requests.read(_signed_request(request))
        notices.apply(notice, client_address=client_address(request._request))
        return Response({})

    def meta_data_deletion(self, request: Request) -> Response:
        notice = signed_requests.read(_signed_request(request))
        deletion = notices.erase(notice, client_address=client_address(request._request))
        page = reverse("data-deletion", args=[deletion.confirmation_code])
        return Response(
            {
                "url": f"{settings.PUBLIC_URL}{page}",
                "confirmation_code": deletion.confirmation_code,
            }
        )

    def tiktok(self, request: Request) -> Response:
        signature = request.headers.get("TikTok-Signature", "")
        notice = tiktok.read(request._request.body, signature=signature)
        notices.apply(notice, client_address=client_address(request._request))
        return Response({})

    def google_risc(self, request: Request) -> Response:
        notice = security_events.read(request._request.body)
        notices.apply(notice, client_address=client_address(request._request))
        return Response(status=202)


def _signed_request(request: Request) -> str:
    # Not `request.data`: that takes JSON alone.
    return request._request.POST.get("signed_request", "")


@require_safe
@never_cache
def data_deletion(request: HttpRequest, confirmation_code: str) -> HttpResponse:
    """Show what became of a request to have data erased to whoever has its code; names nobody."""
    deletion = get_object_or_404(DataDeletion, pk=confirmation_code)
    return render(request, "webhooks/data_deletion.html", {"deletion": deletion})
