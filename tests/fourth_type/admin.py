"""Calendars, for operators to read."""

from connections_project.connections.admin import ConnectionAdmin


class CalendarAdmin(ConnectionAdmin):
    own_fields = ("color",)
