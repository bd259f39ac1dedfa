"""Answers for front ends of other origins (Fetch Standard, section 3.3)."""

from corsheaders import middleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers


class CorsMiddleware(middleware.CorsMiddleware):
    """django-cors-headers, which writes `Vary: origin`: a cache or a client that compares the
    name as the standard spells it would miss that."""

    def add_response_headers(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if self.is_enabled(request):
            patch_vary_headers(response, ("Origin",))
        return super().add_response_headers(request, response)
