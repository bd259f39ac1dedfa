"""How the admin's templates show facts."""

from django import template

from connections_project.admin import formatting

register = template.Library()
register.filter("badge", formatting.badge)
register.filter("format_datetime", formatting.format_datetime)
register.filter("format_details", formatting.format_details)
register.filter("revocation_badge", formatting.revocation_badge)
