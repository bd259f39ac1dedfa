"""Routes of this app, mounted at /api/v1/. No trailing slashes; ids are read by the views, so that
a malformed one is answered after the credentials were looked at."""

from django.urls import path

from channels.api.views import ChannelViewSet, ScheduleViewSet

urlpatterns = [
    path("channels/connect", ChannelViewSet.as_view({"post": "connect"})),
    path("channels/callback", ChannelViewSet.as_view({"post": "callback"})),
    path("channels/connections", ChannelViewSet.as_view({"get": "list"})),
    path(
        "channels/connections/<str:id>",
        ChannelViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("channels/connections/<str:id>/refresh", ChannelViewSet.as_view({"post": "refresh"})),
    path(
        "channels/connections/<str:id>/publish-events",
        ChannelViewSet.as_view({"get": "publish_events"}),
    ),
    path("schedules", ScheduleViewSet.as_view({"get": "list", "post": "create"})),
    path("schedules/bulk-cancel", ScheduleViewSet.as_view({"post": "bulk_cancel"})),
    path("schedules/<str:id>", ScheduleViewSet.as_view({"get": "retrieve"})),
    path("schedules/<str:id>/cancel", ScheduleViewSet.as_view({"post": "cancel"})),
]
