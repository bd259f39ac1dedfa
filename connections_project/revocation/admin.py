"""Revocation jobs in the admin: to be retried now, or given up."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections_project.admin.base import ReadOnlyAdmin
from connections_project.admin.filters import MADE, column_filter, select_filter
from connections_project.admin.formatting import (
    REVOCATION,
    VERIFICATION,
    exact_time,
    format_datetime,
    link_to_connection,
    revocation_badge,
    verification_badge,
)
from connections_project.admin.object_actions import ObjectAction, QuestionForm
from connections_project.identity.origins import admin_origin
from connections_project.platforms.catalog import catalog
from connections_project.platforms.registry import name_of
from connections_project.revocation.circuits import open_until
from connections_project.revocation.models import Circuit, JobState, RevocationJob
from connections_project.revocation.operate import give_up, probe_now, retry_now

PERMISSION = "revocation.change_revocationjob"


def is_pending(job: RevocationJob) -> bool:
    return job.state == JobState.PENDING


def is_held_up(job: RevocationJob) -> bool:
    """Whether its platform is left alone for now."""
    return is_pending(job) and open_until(Circuit, job.platform) is not None


def _retry_question(job: RevocationJob) -> str:
    until = open_until(Circuit, job.platform)
    if until is None:
        return "A worker retries it as soon as one is free, whatever the waiting time."
    name = name_of(job.platform)
    return (
        f"{name} has failed again and again, so that nothing is sent to it until "
        f"{exact_time(until)}. It is tried right after that. To ask {name} once before, "
        "go back and choose Probe now."
    )


def _retry(request: HttpRequest, job: RevocationJob, _reason: str) -> str:
    retry_now([job.pk], origin=admin_origin(request))
    until = open_until(Circuit, job.platform)
    if until is None:
        return "It is due now, and tried next."
    name = name_of(job.platform)
    return f"It is due now, and waits for {name}, which is left alone until {exact_time(until)}."


def _probe(request: HttpRequest, job: RevocationJob, _reason: str) -> str:
    probe_now(job.pk, origin=admin_origin(request))
    return f"{name_of(job.platform)} is asked once; if it answers, all its revocations go on."


def _give_up(request: HttpRequest, job: RevocationJob, reason: str) -> str:
    give_up([job.pk], reason=reason, origin=admin_origin(request))
    return "It is given up, and its token is erased. The user should remove the app by hand."


def _platforms() -> list[tuple[str, str]]:
    return sorted((one.slug, one.name) for one in catalog().all())


@admin.register(RevocationJob)
class RevocationJobAdmin(ReadOnlyAdmin):
    """Jobs, without the token that they bear."""

    list_display = ("short_id", "shown_state", "verified", "platform_name", "tries", "last_error",
                    "pending_since", "next_try", "of_connection")  # fmt: skip
    list_filter = (
        column_filter(
            "state", lambda: [(state, words) for state, (words, _) in REVOCATION.items()]
        ),
        select_filter("platform", _platforms),
        column_filter(
            "verification", lambda: [(one, words) for one, (words, _) in VERIFICATION.items()]
        ),
        *MADE,
    )
    id_columns = ("id", "connection_id")
    search_help_text = "The job's or its connection's id"
    fields = ("id", "extras_only", "shown_state", "verified", "app", "platform_name",
              "of_connection", "tries", "last_error", "client_id", "authority",
              "platform_user_id", "created_at", "due_at", "finished_at", "leased_until",
              "trace_id")  # fmt: skip
    readonly_fields = fields
    actions = ("retry_selected",)
    saved_filters = {
        "Waiting": "state=pending",
        "Accepted without effect": "state=pending&verification=still_alive",
        "Given up in the last 7 days": "state=abandoned&age=week",
    }
    export_columns = ("id", "app", "platform", "connection_id", "owner_id", "state",
                      "verification", "attempts", "last_error", "created_at", "due_at",
                      "finished_at", "trace_id")  # fmt: skip
    object_actions = (
        ObjectAction(
            name="retry",
            label="Retry now",
            permission=PERMISSION,
            question=_retry_question,
            do=_retry,
            applies=is_pending,
            form=QuestionForm,
        ),
        ObjectAction(
            name="probe",
            label="Probe now",
            permission=PERMISSION,
            question="Its platform has failed again and again, and is left alone for a while. It "
            "is asked once now, by this revocation. If it fails again it is left alone for longer.",
            do=_probe,
            applies=is_held_up,
            form=QuestionForm,
        ),
        ObjectAction(
            name="give-up",
            label="Give up",
            permission=PERMISSION,
            question="It is not retried any more, and the sealed token is erased: it lives on at "
            "the platform until the user removes the app there, or it runs out.",
            do=_give_up,
            applies=is_pending,
            is_destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RevocationJob]:
        return super().get_queryset(request).defer("sealed_tokens")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description="Retry now", permissions=["act"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[RevocationJob]) -> None:
        """Retry at most a page's worth at a time now; the worker comes to all of them anyway."""
        ids = list(queryset.filter(state=JobState.PENDING).values_list("pk", flat=True)[:1000])
        hurried = retry_now(ids, origin=admin_origin(request))
        self.message_user(request, f"{hurried} of them were pending, and are due now.")

    def shown_state(self, job: RevocationJob) -> SafeString:
        return revocation_badge(job.state, is_tried=is_pending(job) and job.is_tried)

    shown_state.short_description = "state"  # type: ignore[attr-defined]

    def verified(self, job: RevocationJob) -> SafeString | str:
        return verification_badge(job.verification)

    verified.short_description = "verified"  # type: ignore[attr-defined]

    def platform_name(self, job: RevocationJob) -> str:
        return name_of(job.platform)

    platform_name.short_description = "platform"  # type: ignore[attr-defined]

    def tries(self, job: RevocationJob) -> int:
        return job.attempts

    def pending_since(self, job: RevocationJob) -> Any:
        return format_datetime(job.created_at)

    def next_try(self, job: RevocationJob) -> Any:
        return format_datetime(job.due_at if is_pending(job) else None)

    def of_connection(self, job: RevocationJob) -> SafeString:
        return link_to_connection(job.app, job.connection_id)

    of_connection.short_description = "connection"  # type: ignore[attr-defined]
