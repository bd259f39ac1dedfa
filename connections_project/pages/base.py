"""What all pages of a person's connections share: whose they are, limits, language, policy."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views import View

from connections_project.api.errors import ApiException
from connections_project.api.rate_limits import API_READ, API_WRITE, Policy
from connections_project.api.throttling import set_rate_limit_headers, throttle
from connections_project.core.languages import localized
from connections_project.middleware.content_security import scriptless_policy
from connections_project.pages.sessions import EndedSessionError
from connections_project.pages.visitor import Visitor, visitor_of


@method_decorator(localized, name="dispatch")
class PersonPage(View):
    """A page of one person's; `visitor` is whose."""

    http_method_names = ["get", "post"]
    # Whose bucket a POST draws on.
    write_policy: Policy = API_WRITE
    visitor: Visitor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            visitor = visitor_of(request)
        except EndedSessionError:
            return ended_page(request)
        if visitor is None:
            return _sign_in(request)
        self.visitor = visitor
        try:
            throttle(request, self._policy(request), str(visitor.user.pk))
            response = super().dispatch(request, *args, **kwargs)
        except ApiException as refused:
            response = _too_many(request, refused)
        set_rate_limit_headers(request, response)
        return guarded(response)

    def _policy(self, request: HttpRequest) -> Policy:
        return self.write_policy if request.method == "POST" else API_READ

    def page(
        self,
        template: str,
        context: dict[str, Any],
        *,
        status: int = HTTPStatus.OK,
        form_action: Iterable[str] = (),
    ) -> HttpResponse:
        """Return a page.

        Args:
            template: Its file below templates/pages/.
            form_action: Where its forms lead besides ourselves.
        """
        context = {"visitor": self.visitor, **context}
        response = render(self.request, f"pages/{template}", context, status=status)
        policy = scriptless_policy(form_action=form_action)
        response.headers["Content-Security-Policy"] = policy
        return response


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    """Keep a page out of caches, and give it the strict policy if it has none."""
    response.headers.setdefault("Content-Security-Policy", scriptless_policy())
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def ended_page(request: HttpRequest) -> HttpResponseBase:
    """Return the 410 of a link that is over, or that another browser has opened."""
    return guarded(render(request, "pages/ended.html", status=HTTPStatus.GONE))


def _too_many(request: HttpRequest, refused: ApiException) -> HttpResponse:
    response = render(request, "pages/too_many.html", status=refused.error.status)
    for name, value in refused.error.headers.items():
        response.headers[name] = value
    return response


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    # What was posted is not posted again after a sign-in.
    back = request.path if request.method == "GET" else reverse("connections")
    address = f"{reverse('sign-in')}?{urlencode({'next': back})}"
    return guarded(HttpResponseRedirect(address))
