"""`/api/v1/channels` and `/api/v1/schedules`: read the request, call a verb, render its result."""

from functools import partial
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from channels import cancel, connect, disconnect, refresh
from channels.api import reading
from channels.api import serializers as bodies
from channels.api.documentation import connections as documentation
from channels.api.documentation import schedules as schedule_documentation
from channels.cancel import Cancellation
from channels.models import ChannelConnection, ScheduleStatus, Status
from channels.schedule import WantedPost, schedule
from channels.selectors import (
    own_connection,
    own_connections,
    own_publish_events,
    own_schedule,
    own_schedules,
)
from connections_project.api.serializers import choice, flag, validated
from connections_project.api.views import ApiViewSet
from connections_project.connections import throttling
from connections_project.connections.callback import state_and_answer
from connections_project.connections.serializers import RefreshRequest, connect_answer
from connections_project.connections.viewsets import UserConnectionViewSet, started
from connections_project.identity.origins import origin_of
from connections_project.identity.principals import principal_of, signed_in
from connections_project.platforms.help_link import help_link


class ChannelViewSet(UserConnectionViewSet):
    """A user's connections to channels."""

    connection_model = ChannelConnection
    action_throttles: ClassVar = {
        "list": throttling.ReadThrottle,
        "retrieve": throttling.ReadThrottle,
        "publish_events": throttling.ReadThrottle,
        "connect": throttling.ConnectThrottle,
        "callback": throttling.CallbackThrottle,
        "refresh": throttling.SyncThrottle,
    }

    @documentation.CONNECT
    def connect(self, request: Request) -> Response:
        body = validated(bodies.ChannelConnectRequest, request)
        begin = partial(
            connect.begin,
            channel=body["channel"],
            redirect_uri=body["redirect_uri"],
            user=principal_of(request),
        )
        return started(request, begin, connect_answer, status=200)

    @documentation.CALLBACK
    def callback(self, request: Request) -> Response:
        state, answer = state_and_answer(request)
        connection = connect.complete(
            state=state, answer=answer, caller=signed_in(request), origin=origin_of(request)
        )
        return Response(bodies.ChannelAnswer(connection).data, status=201)

    @documentation.LIST
    def list(self, request: Request) -> Response:
        user = principal_of(request)
        status = choice(request, "status", Status.values)
        channel = reading.channel(request, user)
        found = own_connections(user, status=status, channel=channel)
        return self.paginated(bodies.ChannelAnswer, found)

    @documentation.GET
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's own word.
        connection = own_connection(reading.connection_id(id), user=principal_of(request))
        return Response(bodies.ChannelAnswer(connection).data)

    @documentation.PUBLISH_EVENTS
    def publish_events(self, request: Request, id: str) -> Response:  # noqa: A002
        found = own_publish_events(reading.connection_id(id), user=principal_of(request))
        return self.paginated(bodies.PublishEventAnswer, found)

    @documentation.DISCONNECT
    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002
        connection = disconnect.disconnect_own(
            connection_id=reading.connection_id(id),
            user=principal_of(request),
            cancel_schedules=flag(request, "cancel_schedules"),
            soft_delete=flag(request, "soft_delete"),
            origin=origin_of(request),
        )
        headers = help_link(connection.channel)
        return Response(bodies.disconnect_answer(connection), headers=headers)

    @documentation.REFRESH
    def refresh(self, request: Request, id: str) -> Response:  # noqa: A002
        connection = refresh.refresh_own(
            connection_id=reading.connection_id(id),
            user=principal_of(request),
            force=validated(RefreshRequest, request)["force"],
            origin=origin_of(request),
        )
        return Response(bodies.ChannelAnswer(connection).data)


class ScheduleViewSet(ApiViewSet):
    """A user's schedules."""

    throttle_classes = (throttling.WriteThrottle,)
    action_throttles: ClassVar = {
        "list": throttling.ReadThrottle,
        "retrieve": throttling.ReadThrottle,
    }

    @schedule_documentation.SCHEDULE
    def create(self, request: Request) -> Response:
        body = validated(bodies.ScheduleRequest, request)
        wanted = body["channel_connection_id"]
        made = schedule(
            connection_id=reading.connection_id(wanted, field="channel_connection_id"),
            wanted=WantedPost(
                content=body["content"],
                image_url=body["image_url"],
                options=body["options"] or {},
                run_at=reading.time(body["run_at"]),
            ),
            user=principal_of(request),
            origin=origin_of(request),
        )
        return Response(bodies.ScheduleAnswer(made).data, status=201)

    @schedule_documentation.LIST_SCHEDULES
    def list(self, request: Request) -> Response:
        status = choice(request, "status", ScheduleStatus.values)
        name = "channel_connection_id"
        wanted = request.query_params.get(name)
        connection_id = None if wanted is None else reading.connection_id(wanted, field=name)
        found = own_schedules(principal_of(request), status=status, connection_id=connection_id)
        return self.paginated(bodies.ScheduleAnswer, found)

    @schedule_documentation.GET_SCHEDULE
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's own word.
        found = own_schedule(reading.schedule_id(id), user=principal_of(request))
        return Response(bodies.ScheduleAnswer(found).data)

    @schedule_documentation.CANCEL
    def cancel(self, request: Request, id: str) -> Response:  # noqa: A002
        cancelled = cancel.cancel_own(
            schedule_id=reading.schedule_id(id),
            user=principal_of(request),
            origin=origin_of(request),
        )
        return Response(bodies.ScheduleAnswer(cancelled).data)

    @schedule_documentation.BULK_CANCEL
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
