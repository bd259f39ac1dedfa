"""Event endpoints and deliveries for operators: how they are doing, and what can be done."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import MADE, column_filter
from connections_project.admin.formatting import badge, format_datetime, link_to
from connections_project.admin.made_once import MadeBeforeError
from connections_project.admin.object_actions import Button, QuestionForm
from connections_project.core import clock
from connections_project.events.admin_actions import (
    CHANGE,
    DELIVERY_ACTIONS,
    ENDPOINT_ACTIONS,
    RESEND,
)
from connections_project.events.endpoints import (
    InvalidEndpointError,
    StillRotatingError,
    create,
    rotate_secret,
)
from connections_project.events.forms import EndpointForm, RotationForm
from connections_project.events.health import health_of
from connections_project.events.models import Delivery, DeliveryState, Endpoint
from connections_project.events.payload import body
from connections_project.events.replay import resend
from connections_project.identity.origins import admin_origin

ADD = "events.add_endpoint"
MOST_RESENT = 1000


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Where the host application is told of what happens, and how that goes."""

    list_display = ("short_id", "url", "shown_state", "shown_types", "last_success",
                    "oldest_waiting", "failure_rate")  # fmt: skip
    text_columns = ("url",)
    export_columns = ("id", "url", "types", "created_at", "last_success_at", "disabled_at",
                      "disabled_reason")  # fmt: skip
    search_help_text = "The endpoint's id or address"
    fields = ("id", "url", "shown_state", "shown_types", "disabled_reason", "last_success",
              "oldest_waiting", "waiting", "failure_rate", "faults", "blocked_until",
              "old_secret_until", "created_at", "disabled_at")  # fmt: skip
    readonly_fields = fields
    object_actions = ENDPOINT_ACTIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return super().get_queryset(request).defer("sealed_secret", "sealed_old_secret")

    def get_urls(self) -> list[URLPattern]:
        rotate = self.admin_site.admin_view(self.rotate_view)
        name = "events_endpoint_rotate"
        return [path("<uuid:object_id>/rotate/", rotate, name=name), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        found = super().buttons(request, row)
        if not request.user.has_perm(CHANGE):
            return found
        page = reverse("admin:events_endpoint_rotate", args=[row.pk])
        return [*found, Button("Rotate the secret", page)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ADD))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EndpointForm(request.POST if request.method == "POST" else None)
        try:
            made = self._made(request, form) if form.is_valid() else None
        except MadeBeforeError as error:
            return self.made_before(request, error.row_id)
        return self._secret_page(request, form, *(made or (None, "")), label="Make the endpoint")

    def _made(self, request: HttpRequest, form: EndpointForm) -> tuple[Endpoint, str] | None:
        url, types = form.cleaned_data["url"], ",".join(form.cleaned_data["types"])
        make = partial(create, url=url, types=types, origin=admin_origin(request))
        try:
            return form.make_once(Endpoint, lambda row_id: make(endpoint_id=row_id))
        except InvalidEndpointError as error:
            form.add_error("url", str(error))
            return None

    def rotate_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Ask first, then show the new secret once."""
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        endpoint = Endpoint.objects.filter(pk=object_id).first()
        if endpoint is None:
            raise Http404
        data = request.POST if request.method == "POST" else None
        form = RotationForm(data, endpoint=endpoint)
        secret = self._rotated(request, endpoint, form) if form.is_valid() else ""
        return self._secret_page(request, form, endpoint, secret, label="Rotate the secret")

    def _rotated(self, request: HttpRequest, endpoint: Endpoint, form: RotationForm) -> str:
        try:
            return rotate_secret(endpoint, origin=admin_origin(request), force=form.is_forced)
        except StillRotatingError as error:
            # Somebody else has rotated it since the page was shown.
            form.add_error(None, f"Not rotated: {error}.")
            return ""

    def _secret_page(
        self,
        request: HttpRequest,
        form: QuestionForm,
        endpoint: Endpoint | None,
        secret: str,
        *,
        label: str,
    ) -> HttpResponse:
        goes_on = "The old one signs beside it for 24 hours."
        # The admin lets no page of its be stored, so none keeps the secret.
        return self.page(
            request,
            "admin/shown_once.html",
            title=label,
            label=label,
            form=form,
            kind="secret",
            secret=secret,
            row=endpoint,
            whose=endpoint and endpoint.url,
            note=endpoint and f"{endpoint.url} gets a new secret. {goes_on}",
        )

    def shown_state(self, endpoint: Endpoint) -> SafeString:
        if not endpoint.is_enabled:
            return badge("disabled", "off")
        blocked = endpoint.left_alone_for(clock.now())
        return badge("fails", "bad") if blocked else badge("enabled", "good")

    shown_state.short_description = "state"  # type: ignore[attr-defined]

    def shown_types(self, endpoint: Endpoint) -> str:
        return endpoint.types.replace(",", ", ") or "all"

    shown_types.short_description = "types"  # type: ignore[attr-defined]

    def last_success(self, endpoint: Endpoint) -> Any:
        return format_datetime(endpoint.last_success_at)

    def oldest_waiting(self, endpoint: Endpoint) -> Any:
        return format_datetime(health_of(endpoint).oldest_waiting)

    def waiting(self, endpoint: Endpoint) -> str:
        return health_of(endpoint).waiting_in_words

    def failure_rate(self, endpoint: Endpoint) -> str:
        return health_of(endpoint).failure_rate_in_words

    failure_rate.short_description = "failed in the last hour"  # type: ignore[attr-defined]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What each endpoint was told, and what it answered."""

    list_display = ("short_id", "shown_state", "type", "of_endpoint", "tries", "status_code",
                    "last_error", "tried", "next_try")  # fmt: skip
    list_filter = (
        column_filter("state", lambda: [(str(one), str(one)) for one in DeliveryState.values]),
        column_filter(
            "endpoint",
            lambda: [(str(one.pk), one.url) for one in Endpoint.objects.order_by("pk")[:100]],
        ),
        *MADE,
    )
    list_select_related = ("event", "endpoint")
    id_columns = ("id", "event_id", "connection_id")
    saved_filters = {"Waiting": "state=pending", "Given up": "state=given_up"}
    export_columns = ("id", "state", "event__type", "endpoint__url", "event_id", "connection_id",
                      "attempts", "status_code", "last_error", "tried_at", "due_at",
                      "finished_at")  # fmt: skip
    search_help_text = "The delivery's, its event's or its connection's id"
    fields = ("id", "shown_state", "type", "of_endpoint", "event_id", "connection_id", "sequence",
              "tries", "status_code", "last_error", "tried_at", "due_at", "begun_at",
              "finished_at", "leased_until", "body")  # fmt: skip
    readonly_fields = fields
    actions = ("resend_selected",)
    object_actions = DELIVERY_ACTIONS

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(RESEND))

    @admin.action(description="Send again", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        ids = list(queryset.values_list("pk", flat=True)[:MOST_RESENT])
        number = resend(ids, origin=admin_origin(request))
        self.message_user(request, f"{number} are due now.")

    def shown_state(self, delivery: Delivery) -> SafeString:
        tones = {"delivered": "good", "pending": "wait", "given_up": "bad"}
        return badge(delivery.state, tones[delivery.state])

    shown_state.short_description = "state"  # type: ignore[attr-defined]

    def type(self, delivery: Delivery) -> str:
        return delivery.event.type

    def of_endpoint(self, delivery: Delivery) -> SafeString | str:
        return link_to(delivery.endpoint)

    of_endpoint.short_description = "endpoint"  # type: ignore[attr-defined]

    def tries(self, delivery: Delivery) -> int:
        return delivery.attempts

    def tried(self, delivery: Delivery) -> Any:
        return format_datetime(delivery.tried_at)

    def next_try(self, delivery: Delivery) -> Any:
        is_pending = delivery.state == DeliveryState.PENDING
        return format_datetime(delivery.due_at if is_pending else None)

    def body(self, delivery: Delivery) -> str:
        return body(delivery.event).decode()
