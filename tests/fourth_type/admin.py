"""Calendars, for operators to read."""

from django.contrib import admin

from connections_project.connections.admin import ConnectionAdmin
from tests.fourth_type.models import Calendar


@admin.register(Calendar)
class CalendarAdmin(ConnectionAdmin):
    own_fields = ("color",)
