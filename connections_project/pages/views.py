"""`/connections`: a person's own connections of all apps."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from connections_project.connections.errors import ConnectionNotFoundError
from connections_project.connections.overview import Overview, own_connections
from connections_project.pages.base import PersonPage
from connections_project.pages.links import follow_link
from connections_project.pages.offers import Offer, offers
from connections_project.pages.own import WorkWaitingError, disconnect_own, own_connection
from connections_project.pages.shown import Ended, Ending, Shown
from connections_project.receipts.facts import NotDisconnectedError
from connections_project.receipts.issue import issue

PER_PAGE = 50
# RFC 7515, section 9.2.1: the compact serialization.
RECEIPT_TYPE = "application/jose"


class ConnectionsPage(PersonPage):
    """What is connected, what was, and what can be."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and "session" in request.GET:
            return follow_link(request)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        offered = offers(lambda _slug: True)
        page = Paginator(own_connections(self.visitor.user), PER_PAGE).get_page(
            request.GET.get("page")
        )
        reachable = {offer.slug for offer in offered}
        rows = [Shown.of(Overview(*row), reachable) for row in page]
        context = {
            "page": page,
            "needing": [row for row in rows if row.attention],
            "live": [row for row in rows if not row.attention and not row.is_over],
            "over": [row for row in rows if row.is_over],
            "offers": [offer for offer in offered if self.visitor.is_offered(offer.slug)],
        }
        return self.page("connections.html", context, form_action=self._targets(offered))

    def _targets(self, offered: Sequence[Offer]) -> list[str]:
        """Return where the forms lead: to platforms, and from them back to the application.

        Chromium and Safari look at each redirect behind a form (w3c/webappsec-csp, issue 8), and
        what a platform does in front of its consent, by device, country or sign-in, is its own
        affair: any https address. Named too are origins without it, as in development.
        """
        back = self.visitor.session.return_origin if self.visitor.session else ""
        platforms = ["https:", *sorted({one.origin for one in offered})] if offered else []
        return [*platforms, *([back] if back else [])]


class OwnPage(PersonPage):
    """A page about one connection of the person's."""

    def find(self, connection_id: UUID) -> Any:
        try:
            return own_connection(connection_id, user=self.visitor.user)
        except ConnectionNotFoundError:
            raise Http404 from None


class DisconnectPage(OwnPage):
    """Says what a disconnect will do, and does it; what is scheduled needs a second yes."""

    def get(self, _: HttpRequest, connection_id: UUID) -> HttpResponse:
        row = self.find(connection_id)
        if row.disconnected_at:
            return redirect("connection-ended", row.pk)
        return self.page("disconnect.html", {"ending": Ending.of(row)})

    def post(self, request: HttpRequest, connection_id: UUID) -> HttpResponse:
        try:
            disconnect_own(
                connection_id,
                user=self.visitor.user,
                cancel_schedules="cancel_schedules" in request.POST,
                origin=self.visitor.origin,
            )
        except ConnectionNotFoundError:
            raise Http404 from None
        except WorkWaitingError:
            ending = Ending.of(self.find(connection_id))
            return self.page("cancel_schedules.html", {"ending": ending}, status=409)
        return redirect("connection-ended", connection_id)


class EndedPage(OwnPage):
    """What a disconnect has done, with the receipt."""

    def get(self, _: HttpRequest, connection_id: UUID) -> HttpResponse:
        try:
            return self.page("disconnected.html", {"ended": Ended.of(self.find(connection_id))})
        except NotDisconnectedError:
            return redirect("connections")


class ReceiptFile(OwnPage):
    """The receipt, to keep."""

    def get(self, _: HttpRequest, connection_id: UUID) -> HttpResponse:
        try:
            receipt = issue(self.find(connection_id))
        except NotDisconnectedError:
            raise Http404 from None
        name = f'attachment; filename="receipt-{connection_id}.jws"'
        headers = {"Content-Disposition": name}
        return HttpResponse(receipt, content_type=RECEIPT_TYPE, headers=headers)
