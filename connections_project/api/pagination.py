"""Pages of a list."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from connections_project.api.errors import invalid_field

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100

_Row = TypeVar("_Row", bound=Model)


def paginate(
    queryset: QuerySet[_Row], request: Request
) -> tuple[list[_Row], dict[str, int | bool]]:
    """Cut the page out of a list that the query's `page` and `limit` name.

    Args:
        queryset: The whole list, in an order that is stable under equal times.
        request: Its query has `page` (from 1) and `limit` (1 to 100, 20 by default).

    Returns:
        The page's rows (none beyond the end), and the answer's `pagination` object.

    Raises:
        ApiException: 400 that names `page` or `limit`.
    """
    page = _whole_number(request, "page", default=1, largest=None)
    limit = page_limit(request)
    total = queryset.count()
    offset = (page - 1) * limit
    # An offset beyond the end is never sent: one over 64 bits would be an error of the database.
    rows = list(queryset[offset : offset + limit]) if offset < total else []
    return rows, _described(page=page, limit=limit, total=total)


def page_limit(request: Request) -> int:
    """Return how long a page of the query's `limit` may be.

    Raises:
        ApiException: 400 that names `limit`.
    """
    return _whole_number(request, "limit", default=DEFAULT_LIMIT, largest=LARGEST_LIMIT)


def _described(*, page: int, limit: int, total: int) -> dict[str, int | bool]:
    total_pages = -(-total // limit)
    return {
        "page": page,
        "limit": limit,
        "total": total,
        "total_pages": total_pages,
        "has_next": page < total_pages,
        "has_prev": page > 1,
    }


def _whole_number(request: Request, name: str, *, default: int, largest: int | None) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        number = int(text) if text.isascii() and text.isdigit() else 0
    except ValueError:  # More digits than Python converts.
        number = 0
    if number < 1 or (largest is not None and number > largest):
        upper = f"from 1 to {largest}" if largest else "from 1"
        raise invalid_field(name, code="invalid", message=f"Give a whole number {upper}.")
    return number
