"""The application's name and logo in templates, also of error pages, which have no context."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def brand_name() -> str:
    return str(settings.BRAND_NAME)


@register.simple_tag
def has_brand_logo() -> bool:
    return settings.BRAND_LOGO is not None
