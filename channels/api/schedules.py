"""`/api/v1/schedules`: what is to be published, and when."""

from rest_framework.request import Request
from rest_framework.response import Response

from channels import cancel
from channels.api import documentation, reading
from channels.api import serializers as bodies
from channels.cancel import Cancellation
from channels.models import ScheduleStatus
from channels.schedule import schedule
from channels.selectors import own_schedule, own_schedules
from connections_project.api.pagination import paginate
from connections_project.api.rate_limits import Policy
from connections_project.api.serializers import serialize_rows
from connections_project.api.validation import validated
from connections_project.api.views import ApiViewSet
from connections_project.connections import throttling
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of


class ScheduleViewSet(ApiViewSet):
    """A user's schedules."""

    def rate_limit(self, request: Request) -> tuple[Policy, str] | None:
        if self.action in {"list", "retrieve"}:
            return throttling.reading(request)
        return throttling.writing(request)

    @documentation.SCHEDULE
    def create(self, request: Request) -> Response:
        body = validated(bodies.ScheduleRequest, request)
        wanted = body["channel_connection_id"]
        made = schedule(
            connection_id=reading.connection_id(wanted, field="channel_connection_id"),
            content=body["content"],
            image_url=body["image_url"],
            run_at=reading.time(body["run_at"]),
            user=principal_of(request),
            origin=origin_of(request),
        )
        return Response(bodies.ScheduleAnswer(made).data, status=201)

    @documentation.LIST_SCHEDULES
    def list(self, request: Request) -> Response:
        status = reading.one_of(request, "status", ScheduleStatus.values)
        name = "channel_connection_id"
        wanted = request.query_params.get(name)
        connection_id = None if wanted is None else reading.connection_id(wanted, field=name)
        found = own_schedules(principal_of(request), status=status, connection_id=connection_id)
        rows, pagination = paginate(found, request)
        return Response(
            {"data": serialize_rows(bodies.ScheduleAnswer, rows), "pagination": pagination}
        )

    @documentation.GET_SCHEDULE
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the contract's word.
        found = own_schedule(reading.schedule_id(id), user=principal_of(request))
        return Response(bodies.ScheduleAnswer(found).data)

    @documentation.CANCEL
    def cancel(self, request: Request, id: str) -> Response:  # noqa: A002
        cancelled = cancel.cancel_own(
            schedule_id=reading.schedule_id(id),
            user=principal_of(request),
            origin=origin_of(request),
        )
        return Response(bodies.ScheduleAnswer(cancelled).data)

    @documentation.BULK_CANCEL
    def bulk_cancel(self, request: Request) -> Response:
        done = self._cancel(request)
        refused = [
            {"schedule_id": str(each), "error_code": code} for each, code in done.refused.items()
        ]
        answer = {"cancelled": done.cancelled, "failed": len(refused), "errors": refused}
        return Response(answer)

    def _cancel(self, request: Request) -> Cancellation:
        body = validated(bodies.BulkCancelRequest, request)
        user, origin = principal_of(request), origin_of(request)
        if body["schedule_ids"] is None:
            wanted = body["channel_connection_id"]
            connection_id = reading.connection_id(wanted, field="channel_connection_id")
            return cancel.cancel_all_of(connection_id=connection_id, user=user, origin=origin)
        ids = [
            reading.schedule_id(text, field=f"schedule_ids.{index}")
            for index, text in enumerate(body["schedule_ids"])
        ]
        return cancel.cancel_several(schedule_ids=ids, user=user, origin=origin)
