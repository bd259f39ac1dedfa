"""The application's name and logo, as the operator gives them."""

import mimetypes

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
@cache_control(public=True, max_age=3600)
def brand_logo(_: HttpRequest) -> HttpResponse:
    """Return the file that BRAND_LOGO names.

    Raises:
        Http404: None is named, or it has gone.
    """
    if settings.BRAND_LOGO is None or not settings.BRAND_LOGO.is_file():
        raise Http404
    # Python before 3.13 counts WebP among the types that IANA does not know.
    kind, _encoding = mimetypes.guess_type(settings.BRAND_LOGO.name, strict=False)
    response = HttpResponse(settings.BRAND_LOGO.read_bytes(), content_type=kind)
    # Somebody may open it by itself, and an SVG may hold scripts.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
