"""The words of the back-office in templates."""

from django import template

from connections_project.admin import formatting

register = template.Library()
register.filter("badge", formatting.badge)
register.filter("moment", formatting.format_datetime)
register.filter("pairs", formatting.format_details)
register.filter("revocation", formatting.revocation_badge)
