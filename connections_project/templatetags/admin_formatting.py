"""How the admin's templates show facts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe

from connections_project.admin import formatting

register = template.Library()


@register.filter
def labelled(cells: Iterable[str], headers: Sequence[Mapping[str, Any]]) -> Iterator[SafeString]:
    """Give each cell of a row its column's name, for where the head of the table is not shown."""
    for cell, header in zip(cells, headers, strict=False):
        name = escape(strip_tags(str(header["text"])).strip().capitalize())
        tag = "th" if cell.startswith("<th") else "td"
        # The cell is Django's own markup; its name is escaped.
        yield mark_safe(str(cell).replace(f"<{tag}", f'<{tag} data-label="{name}"', 1))  # noqa: S308


register.filter("badge", formatting.badge)
register.filter("exact_time", formatting.exact_time)
register.filter("format_datetime", formatting.format_datetime)
register.filter("format_details", formatting.format_details)
register.filter("revocation_badge", formatting.revocation_badge)
