"""The Content-Security-Policy of every answer (CSP Level 3)."""

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI draws its icons from data: addresses.
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def scriptless_policy(*, form_action: Iterable[str] = ()) -> str:
    """Return the policy of a page that runs no script.

    Args:
        form_action: Where its forms lead besides ourselves: browsers also look at where an answer
            to a form redirects to, and on (CSP Level 3, section 6.4.1).
    """
    targets = " ".join(["'self'", *form_action])
    return "; ".join(
        [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            f"form-action {targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


class ContentSecurityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
