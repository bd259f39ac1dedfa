"""The page on which a person allows or denies what a client asks for."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from oauth2_provider.models import Application
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import AuthorizationView


@method_decorator(never_cache, name="dispatch")
class ConsentView(AuthorizationView):  # type: ignore[misc]  # The toolkit is untyped.
    """The authorization endpoint (RFC 6749, section 3.1)."""

    template_name = "sandbox/consent.html"

    def redirect(self, redirect_to: str, application: Application | None) -> HttpResponse:
        """Send the person back, always with `iss`.

        The toolkit adds it to a granted code alone, but a refusal has it too (RFC 9207, section 2).
        """
        if "iss" not in parse_qs(urlsplit(redirect_to).query):
            redirect_to += f"&iss={quote(oauth2_settings.OIDC_ISS_ENDPOINT, safe='')}"
        response: HttpResponse = super().redirect(redirect_to, application)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"redirect_host": urlsplit(context["redirect_uri"]).netloc}
