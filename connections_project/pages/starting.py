"""Start a flow from the page: connect a platform, or reconnect what has a connection."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from connections_project.api.rate_limits import PROVIDER_CONNECT
from connections_project.connections import flow
from connections_project.connections.browser import browser_for_start, set_cookie
from connections_project.connections.callback_words import REFUSALS
from connections_project.connections.registry import connection_type
from connections_project.oauth.state import StateStoreUnavailable
from connections_project.pages.base import PersonPage
from connections_project.pages.offers import Offer, callback_url, offers
from connections_project.pages.views import OwnPage
from connections_project.platforms.registry import PlatformUnavailableError, UnknownPlatformError

REFUSED = (UnknownPlatformError, PlatformUnavailableError, StateStoreUnavailable)


class StartPage(PersonPage):
    """Sends the browser to a platform."""

    http_method_names = ["post"]
    write_policy = PROVIDER_CONNECT

    def start(self, request: HttpRequest, slug: str, row: Any) -> HttpResponse:
        """Start a flow, and send the browser on; a refusal is told on the page.

        Args:
            row: The connection that is to take the new grant, if any.
        """
        browser = browser_for_start(request)
        try:
            started = self._begin(self._offer(slug), row, browser)
        except REFUSED as problem:
            said = REFUSALS[type(problem)]
            messages.warning(request, f"{_(said.title)}. {_(said.text)}")
            return redirect("connections")
        response = HttpResponseRedirect(started.authorization_url)
        set_cookie(response, browser)
        return response

    @staticmethod
    def _offer(slug: str) -> Offer:
        for offer in offers(lambda one: one == slug):
            return offer
        raise UnknownPlatformError(slug)

    def _begin(self, offer: Offer, row: Any, browser: str) -> flow.Authorization:
        user = self.visitor.user
        return flow.begin(
            app=offer.app,
            slug=offer.slug,
            principal=user,
            redirect_uri=callback_url(offer.slug),
            browser=browser,
            details=connection_type(offer.app).flow_details(user, row),
            returns=self.visitor.returns,
        )


class ConnectPage(StartPage):
    """Connects something new."""

    def post(self, request: HttpRequest) -> HttpResponse:
        slug = request.POST.get("platform", "")
        if not self.visitor.is_offered(slug):
            slug = ""
        return self.start(request, slug, None)


class ReconnectPage(StartPage, OwnPage):
    """Has a connection take a fresh grant."""

    def post(self, request: HttpRequest, connection_id: UUID) -> HttpResponse:
        row = self.find(connection_id)
        return self.start(request, row.platform_slug, row)
