"""`GET /api/v1/events`: what happened, for a service account that may read it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from connections_project.api.documentation import SAMPLE_ID, answer, endpoint
from connections_project.api.errors import ApiException, FieldError, invalid_field
from connections_project.api.pagination import LARGEST_LIMIT, page_limit
from connections_project.api.rate_limits import API_READ
from connections_project.api.views import ApiViewSet
from connections_project.connections.throttling import ReadThrottle
from connections_project.core.parsing import parse_uuid
from connections_project.events.audience import READ_EVENTS
from connections_project.events.feed import UnknownEventError, read
from connections_project.events.models import OutgoingEvent
from connections_project.events.payload import payload
from connections_project.events.types import EventType, UnknownTypeError, parse_types
from connections_project.identity.models import PrincipalType

NO_EVENT = "Give the id of an event that is still kept."
DESCRIPTION = """
What the event endpoints are sent, oldest first, to catch up with or to go without an endpoint. Read
on with `after` set to the answer's `next`, until the page is empty. No event turns up before one
that was read already, also where its transaction took long. Events are kept
`EVENT_RETENTION_DAYS`; an `after` that is older is a 400.

For a service account with the permission `read_events`
(`manage.py create_service_account EMAIL --read-events`).
"""
SAMPLE = {
    "data": [
        {
            "id": SAMPLE_ID,
            "type": "connection.disconnected",
            "timestamp": "2025-12-01T10:00:00Z",
            "data": {
                "connection": {
                    "id": SAMPLE_ID,
                    "app": "providers",
                    "platform": "schwab",
                    "status": "disconnected",
                    "owner": {"principal_id": SAMPLE_ID, "issuer": None, "subject": None},
                },
                "actor": "user",
                "reason": "user",
                "revocation": "pending",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "sequence": 1764583200000000,
            },
        }
    ],
    "next": SAMPLE_ID,
}


class EventSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The `webhook-id` of its deliveries.")
    type = serializers.ChoiceField(choices=EventType.values)
    timestamp = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # The base has a property of it.


class EventPage(serializers.Serializer[Any]):
    data = EventSerializer(many=True)  # type: ignore[assignment]
    next = serializers.UUIDField(allow_null=True, help_text="The last id; null for an empty page.")


class MayReadEvents(BasePermission):
    """Lets service accounts in that have the permission."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 - DRF's.
        user = request.user
        is_service = getattr(user, "principal_type", None) == PrincipalType.SERVICE
        return is_service and bool(user.has_perm(READ_EVENTS))


DOCUMENTATION = endpoint(
    "list_events",
    tags=["events"],
    summary="Read events",
    description=DESCRIPTION.strip(),
    parameters=[
        OpenApiParameter("after", UUID, description="Only what comes after this event."),
        OpenApiParameter("types", str, description="Of these types alone, comma-separated."),
        OpenApiParameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": 20}
        ),
    ],
    answers={200: answer("The next events.", EventPage, one=SAMPLE)},
    refusals=("unauthorized", "forbidden"),
    wrong=FieldError("after", "invalid", NO_EVENT),
    limit=API_READ,
)


class EventViewSet(ApiViewSet):
    """The feed."""

    permission_classes = (MayReadEvents,)
    throttle_classes = (ReadThrottle,)

    @DOCUMENTATION
    def list(self, request: Request) -> Response:
        limit = page_limit(request)
        try:
            events = read(after=_after(request), types=_types(request), limit=limit)
        except UnknownEventError:
            raise _no_event() from None
        last = str(events[-1].pk) if events else None
        return Response({"data": [_serialized(event) for event in events], "next": last})


def _serialized(event: OutgoingEvent) -> dict[str, Any]:
    return {"id": str(event.pk), **payload(event)}


def _after(request: Request) -> UUID | None:
    text = request.query_params.get("after")
    found = parse_uuid(text) if text is not None else None
    if text is not None and found is None:
        raise _no_event()
    return found


def _no_event() -> ApiException:
    return invalid_field("after", code="invalid", message=NO_EVENT)


def _types(request: Request) -> tuple[str, ...]:
    try:
        return parse_types(request.query_params.get("types", ""))
    except UnknownTypeError:
        message = f"Give some of {', '.join(EventType.values)}."
        raise invalid_field("types", code="invalid_choice", message=message) from None
