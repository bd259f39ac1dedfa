"""What the admin shows of a connection of any app: facts, never credentials."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import AuditEvent
from audit.people import people_beginning
from connections_project.admin.base import ReadOnlyAdmin, SortedList, ids_filter
from connections_project.admin.filters import MADE, Choice, column_filter
from connections_project.admin.formatting import (
    NOTHING,
    badge,
    format_datetime,
    link_to,
    revocation_badge,
)
from connections_project.admin.object_actions import AdminExtension
from connections_project.admin.viewing import may_view
from connections_project.connections.attention import AttentionReason
from connections_project.connections.hints import hints
from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import ConnectionType, connection_type
from connections_project.connections.timeline import timeline
from connections_project.identity.models import Membership, Team, User
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import upstream
from connections_project.revocation.models import RevocationJob

# Named one by one, so that a new column can't show a credential by itself.
GRANT = ("granted_scope", "authority", "client_id", "granting_user_id", "has_refresh_token",
         "token_issued_at", "token_expires_at", "grant_expires_at")  # fmt: skip
TIMES = ("connected_at", "attention_since", "disconnected_at", "deleted_at", "created_at",
         "updated_at")  # fmt: skip


def platform_choices(app: str) -> list[Choice]:
    return [(one.slug, one.name) for one in catalog().of_app(app)]


def job_badge(job: RevocationJob | None) -> SafeString | str:
    return revocation_badge(job.state, job.attempts, is_tried=job.is_tried) if job else NOTHING


class ConnectionList(SortedList):
    """A page of connections with what the platforms know, by one query for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        ids = [row.pk for row in rows]
        jobs = RevocationJob.objects.filter(
            connection_id__in=ids, extras_only=False, replaced_or_late=False
        )
        # Newer ones last, so that they win.
        newest = {job.connection_id: job for job in jobs.order_by("id").defer("sealed_tokens")}
        for row in rows:
            row.newest_job = newest.get(row.pk)
        self.result_list = rows


class ConnectionAdmin(ReadOnlyAdmin):
    """The list and the page of one app's connections; the apps say what is theirs.

    Each app registers its own; `operations` adds the forced disconnect through `extensions`.
    """

    change_form_template = "admin/connection.html"
    prefix_columns = ("platform_account_id",)
    name_columns = ("platform_account_name",)
    search_help_text = (
        "What a connection's id, its owner's e-mail address (of the first 100 people) or id, or "
        "the account's name or id begins with"
    )
    list_display: tuple[str, ...] = (
        "short_id", "shown_status", "platform", "account", "owner", "connected", "at_platform",
    )  # fmt: skip
    own_fields: ClassVar[tuple[str, ...]] = ()
    saved_filters = {
        "Made in the last 24 hours": "age=day",
        "The grant has run out": "attention_reason=grant_expired",
        "Taken back at the platform": "attention_reason=grant_revoked",
        "The platform refuses": "attention_reason=platform_error",
        "Ending soon": "attention_reason=grant_ending",
        "Failed to connect": "attention_reason=connect_failed",
    }
    extensions: ClassVar[list[type[AdminExtension]]] = []

    @property
    def connection_type(self) -> ConnectionType:
        return connection_type(self.model.app)

    def has_force_disconnect_permission(self, request: HttpRequest) -> bool:
        return self.connection_type.may_force_disconnect(request.user)  # type: ignore[arg-type]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        one, column = self.connection_type, self.model.platform_column
        return [
            column_filter("status", lambda: [(value, value) for value in one.statuses]),
            column_filter(
                column, lambda: platform_choices(one.app), named=column.removesuffix("_slug")
            ),
            column_filter(
                "attention_reason", lambda: AttentionReason.choices, named="needs attention"
            ),
            *MADE,
        ]

    @property
    def export_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        model = self.model
        return ("id", model.platform_column, "status", model.owner_column, "platform_account_id",
                "platform_account_name", "attention_reason", *TIMES)  # fmt: skip

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:  # noqa: ARG002
        return (self.model.owner_column.removesuffix("_id"),)

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[SortedList]:  # noqa: ARG002
        return ConnectionList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django would show the list again, as if nothing had been asked for.
        known = {name for _, name, _ in self._get_base_actions()}
        refused = known.difference(self.get_actions(request))
        if refused.intersection(request.POST.getlist("action")):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Ciphertexts of a hundred rows are a lot to fetch for nothing.
        return super().get_queryset(request).defer("auth_state")

    @property
    def fieldsets(self) -> Any:  # type: ignore[override]
        return (
            (None, {"fields": ("id", "shown_status", "platform", "owner", *self.own_fields)}),
            ("Account", {"fields": ("platform_account_id", "platform_account_name")}),
            ("Grant", {"fields": GRANT}),
            ("Times", {"fields": TIMES}),
        )

    @property
    def readonly_fields(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(field for _, part in self.fieldsets for field in part["fields"])

    def search_filter(self, term: str) -> Q:
        # A joined table would have the connections scanned.
        owners = Q(**{f"{self.owner_column}__in": self.owners_of(people_beginning(term))})
        return super().search_filter(term) | ids_filter([self.owner_column], term) | owners

    @property
    def owner_column(self) -> str:
        return str(self.model.owner_column)

    def owners_of(self, users: QuerySet[User]) -> list[UUID]:
        """Return whose connections these users' are: their own, or their teams'."""
        people = list(users.values_list("pk", flat=True))
        if not people or not self.connection_type.belongs_to_teams:
            return people
        members = Membership.objects.filter(user__in=people)
        return list(members.values_list("team_id", flat=True))

    def status_of(self, row: Any) -> str:
        return str(row.status)

    @staticmethod
    def owner_of(row: Any) -> models.Model | None:
        owner: User | Team | None = getattr(row, row.owner_column.removesuffix("_id"))
        return owner

    # Columns.

    def shown_status(self, row: Any) -> SafeString:
        shown = badge(self.status_of(row))
        if row.attention_reason:
            shown = format_html("{} {}", shown, badge(row.attention_reason, "wait"))
        return (
            format_html("{} {}", shown, badge("deleted by its owner", "off"))
            if row.deleted_at
            else shown
        )

    shown_status.short_description = "status"  # type: ignore[attr-defined]

    def platform(self, row: OAuthConnection) -> str:
        found = upstream(row.platform_slug)
        return found.platform.name if found else f"{row.platform_slug} (left the catalogue)"

    def account(self, row: OAuthConnection) -> str:
        return row.account_name or row.platform_account_id or NOTHING

    def owner(self, row: Any) -> SafeString | str:
        owner = self.owner_of(row)
        return link_to(owner, getattr(owner, "shown_name", None))

    def connected(self, row: OAuthConnection) -> SafeString | str:
        return format_datetime(row.connected_at)

    def at_platform(self, row: Any) -> SafeString | str:
        return job_badge(row.newest_job)

    # The page.

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        more = self.page_context(row, request.user) if row is not None else {}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def page_context(self, row: Any, viewer: Any) -> dict[str, Any]:
        """Return the context of a row's page, beside its columns, as far as it may be seen."""
        jobs = list(
            RevocationJob.objects.filter(connection_id=row.pk)
            .order_by("-id")
            .defer("sealed_tokens")
        )
        return {
            "title": f"{self.account(row)} at {self.platform(row)}",
            "subtitle": None,
            "hints": hints(row, jobs),
            "shows_jobs": may_view(viewer, RevocationJob),
            "jobs": [(job, job_badge(job)) for job in jobs],
            **({"timeline": timeline(row.pk)} if may_view(viewer, AuditEvent) else {}),
        }
