"""`GET /metrics`, for Prometheus and nobody else."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from connections_project.metrics.collector import MetricsCollector
from connections_project.middleware.trusted_proxies import client_address


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of all processes of this host to whoever sends METRICS_TOKEN.

    Raises:
        PermissionDenied: There is no METRICS_TOKEN, and this is not a developer's own machine.
    """
    if settings.METRICS_TOKEN:
        if not _bears_the_token(request):
            return _challenge()
    elif not _is_in_development(request):
        raise PermissionDenied
    encode, content_type = _encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(MetricsCollector()), content_type=content_type)


def _encoder(accept: str) -> tuple[Callable[[MetricsCollector], bytes], str]:
    """Return how metrics are written: as asked for, or as usual where that is asked for oddly.

    The library compares versions that are no numbers with numbers.
    """
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError, LookupError):
        return choose_encoder("")


def _bears_the_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(
        token.strip(), settings.METRICS_TOKEN
    )


def _challenge() -> HttpResponse:
    # RFC 6750, section 3.
    response = HttpResponse("<p>Send METRICS_TOKEN as a Bearer token.</p>", status=401)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _is_in_development(request: HttpRequest) -> bool:
    """Whether metrics may be read without a token.

    An address of loopback alone is no reason: behind a proxy on the same host all have one.
    """
    address = client_address(request)
    return settings.DEBUG and bool(address) and ipaddress.ip_address(address).is_loopback
