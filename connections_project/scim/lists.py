"""Lists of people, as JSON has them (RFC 7644, section 3.4.2)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from scim2_models import Context, Meta, Name

from connections_project.identity.models import User
from connections_project.scim.resources import written
from connections_project.scim.schemas import Email, SentUser, UserList

# Somebody of whom everything is known.
_WHOLE = SentUser(
    id="-",
    external_id="-",
    user_name="-",
    name=Name(**dict.fromkeys(Name.model_fields, "-")),
    display_name="-",
    emails=[Email(value="-", display="-", type="-", primary=True)],
    active=True,
    meta=Meta(
        resource_type="User",
        created=datetime.fromtimestamp(0, UTC),
        last_modified=datetime.fromtimestamp(0, UTC),
        location="-",
    ),
)


def written_list(people: Iterable[User], total: int, wanted: Any) -> dict[str, Any]:
    """Return a page, of each person as much as is wanted.

    How much that is, is asked once, of one resource: to ask it of each takes far longer than all
    else.

    Args:
        wanted: A SearchRequest.
    """
    found = [written(user) for user in people]
    listed: Any = UserList(
        total_results=total,
        start_index=wanted.start_index or 1,
        items_per_page=len(found),
        resources=[_WHOLE],
    )
    content: dict[str, Any] = listed.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted
    )
    if wanted.attributes or wanted.excluded_attributes:
        (shape,) = content["Resources"]
        found = [_shaped(one, shape) for one in found]
    return content | {"Resources": found}


def _shaped(value: Any, shape: Any) -> Any:
    """Return as much of a value as another one of its kind has, and nothing that is empty."""
    if isinstance(value, dict):
        inner = ((name, _shaped(value[name], shape[name])) for name in shape if name in value)
        return {name: one for name, one in inner if one not in ({}, [])}
    if isinstance(value, list) and shape and isinstance(shape[0], dict):
        return [one for one in (_shaped(one, shape[0]) for one in value) if one]
    return value
