"""Schedules, as the OpenAPI document has them."""

from functools import partial
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer

from channels.api import serializers as bodies
from channels.api.documentation import samples
from channels.api.documentation.errors import channel_endpoint, error_lists
from channels.models import ScheduleStatus
from connections_project.api.documentation import (
    PAGE,
    SAMPLE_ID,
    WITH_BODY,
    WRONG_PAGE,
    answer,
    asked,
    sample_page,
)
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import API_READ, API_WRITE

SCHEDULES = ["schedules"]
SCHEDULE_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="A schedule's.")
OF_OWN = ("unauthorized", "INVALID_SCHEDULE_ID", "SCHEDULE_NOT_FOUND", "SCHEDULE_ACCESS_DENIED")
OF_CONNECTION = ("INVALID_CONNECTION_ID", "CONNECTION_NOT_FOUND", "CONNECTION_ACCESS_DENIED")

SCHEDULE = channel_endpoint(
    "create_schedule",
    tags=SCHEDULES,
    summary="Schedule a post",
    description="The post is published at `run_at` or shortly after; a time without a zone is UTC. "
    "The channel must be `connected`. What it would refuse is refused here: `publishes` of "
    "`GET /platforms` says how long a text may be, whether there are pictures, and which "
    "`options` there are.",
    request=bodies.ScheduleRequest,
    examples=[asked(samples.SCHEDULE_REQUEST)],
    answers={201: answer("Scheduled.", bodies.ScheduleAnswer, pending=samples.SCHEDULE)},
    refusals=(
        "unauthorized",
        *WITH_BODY,
        *OF_CONNECTION,
        "CONNECTION_INACTIVE",
        "INVALID_SCHEDULE_TIME",
    ),
    # It is the body that is wrong here, and nobody's right to the connection.
    errors=partial(error_lists, statuses={"CONNECTION_INACTIVE": 400}),
    wrong=FieldError("content", "required", "This field is required."),
    limit=API_WRITE,
)
LIST_SCHEDULES = channel_endpoint(
    "list_schedules",
    tags=SCHEDULES,
    summary="List schedules",
    description="The schedules of whoever is signed in, newest first; published and cancelled "
    "ones too, also after a disconnect.",
    parameters=[
        OpenApiParameter(
            "status", str, enum=ScheduleStatus.values, description="Only in this status."
        ),
        OpenApiParameter(
            "channel_connection_id", UUID, description="Only those of this connection."
        ),
        *PAGE,
    ],
    answers={200: answer("A page.", bodies.SchedulePage, page=sample_page(samples.SCHEDULE))},
    refusals=("unauthorized", *OF_CONNECTION),
    wrong=WRONG_PAGE,
    limit=API_READ,
)
GET_SCHEDULE = channel_endpoint(
    "get_schedule",
    tags=SCHEDULES,
    summary="Get a schedule",
    description="Where one schedule stands; what the channel made of it is among the connection's "
    "publish events.",
    parameters=[SCHEDULE_ID],
    answers={200: answer("The schedule.", bodies.ScheduleAnswer, pending=samples.SCHEDULE)},
    refusals=OF_OWN,
    limit=API_READ,
)
CANCEL = channel_endpoint(
    "cancel_schedule",
    tags=SCHEDULES,
    summary="Cancel a schedule",
    description="Only a pending or queued one can be cancelled: what is `publishing` may be on "
    "its way already.",
    parameters=[SCHEDULE_ID],
    request=None,
    answers={200: answer("Cancelled.", bodies.ScheduleAnswer, cancelled=samples.CANCELLED)},
    refusals=(*OF_OWN, "SCHEDULE_ALREADY_CANCELLED", "SCHEDULE_CANNOT_BE_CANCELLED"),
    limit=API_WRITE,
)
BULK_CANCEL = channel_endpoint(
    "bulk_cancel_schedules",
    tags=SCHEDULES,
    summary="Cancel several schedules, or all of a channel",
    description="Give exactly one of `schedule_ids` (at most 1,000) and `channel_connection_id`. "
    "Each schedule that can't be cancelled is named with the reason; the others are.",
    request=PolymorphicProxySerializer(
        "BulkCancel",
        [bodies.CancelSeveralRequest, bodies.CancelAllRequest],
        resource_type_field_name=None,
    ),
    examples=[
        asked({"schedule_ids": [samples.SCHEDULE_ID]}, "several"),
        asked({"channel_connection_id": SAMPLE_ID}, "all_of_a_channel"),
    ],
    answers={200: answer("Done.", bodies.BulkCancelAnswer, done=samples.BULK_CANCELLED)},
    refusals=("unauthorized", *WITH_BODY, "INVALID_SCHEDULE_ID", *OF_CONNECTION),
    wrong=FieldError(
        "schedule_ids", "invalid", "Give either schedule_ids or channel_connection_id."
    ),
    limit=API_WRITE,
)
