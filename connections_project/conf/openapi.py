"""Settings of drf-spectacular, and what the OpenAPI document says before its first endpoint."""

from typing import Any

from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

DESCRIPTION = """
Connect accounts at financial providers, use them, and above all **disconnect** them, so that it
is over: here, at the provider, and in the audit log.

**Read on**: [the API with its rules and their reasons](/docs/api.md), [clients in Python and
JavaScript](/docs/integrating.md), [audit log and receipts](/docs/evidence.md), [operating the
service](/docs/operating.md), [its settings](/docs/settings.md), [its catalogue of
platforms](/docs/catalog.md), [its architecture](/docs/architecture.md).

**A first walk.** Sign in (`POST /api/v1/auth/login`) and give the `access_token` to *Authorize*.
Look at what can be connected (`GET /api/v1/platforms`), start (`POST /api/v1/providers`), send the
browser to the `authorization_url`, and pass what comes back to `POST /api/v1/providers/callback`.
Then sync, list, refresh; and `DELETE /api/v1/providers/{id}`.

**Statuses of a connection**

| status | means |
| --- | --- |
| `pending` | the provider has sent its code back; it is being exchanged |
| `active` | connected |
| `expired` | refreshing no longer helps: the user has to connect again |
| `revoked` | the access was taken back at the provider: the user has to connect again |
| `failed` | the attempt to connect failed |
| `disconnected` | it is over, and stays so |

A **channel** is `connected`, `expired` (refreshing no longer helps), in `error` (the access was
taken back there) or `disconnected`; a **schedule** goes from `pending` over `queued` (a worker has
it) and `publishing` to `published` or `failed`, unless it is `cancelled` before.

A **social account** belongs to a team, and is active or not. Programs act for the team with an API
key, `x-api-key` beside `x-team-id`; people with their Bearer.

**Ids** are UUIDs in any case; a malformed one is an unknown one, but 400 at channels, schedules and
social accounts. **Times** are UTC, in whole
seconds. **Money** is a decimal as text. **Unknown fields** of a body are ignored.

**Errors** are problem details (RFC 9457), `application/problem+json`; those of channels and
schedules are `{"errors": [{"error_code", "error_description", "error_severity", "meta"}]}`, and
those of social accounts `{"error", "message"}`, with `details` where fields are wrong.
Beyond those at each endpoint: a path that isn't here is 404, a method that a path doesn't have is
405 with `Allow`, and a body over 1 MiB is 413.

**Rate limits** are token buckets, one for each policy and principal. Every answer of a limited
endpoint shows its bucket in `X-RateLimit-…`; 429 says in `Retry-After` when to come again. Calls
without good credentials count for their address: 60 at once, 60 more with every minute.

**Every answer** bears `X-Trace-Id`; send a `traceparent` (W3C Trace Context) to choose it.
"""


def _enum_names() -> Any:
    # Settings are read long before there are connection types.
    return import_string("connections_project.connections.openapi.enum_names")()


SPECTACULAR_SETTINGS = {
    "TITLE": "Connections",
    "VERSION": "1",
    "DESCRIPTION": DESCRIPTION.strip(),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # As the routes stand, which is the order in which they are called.
    "SORT_OPERATIONS": False,
    "PREPROCESSING_HOOKS": ["connections_project.api.openapi_hooks.in_order"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0},
    "COMPONENT_SPLIT_REQUEST": True,
    # A PATCH here takes its body whole: what is required stays so.
    "COMPONENT_SPLIT_PATCH": False,
    # The table above says what each status means.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": SimpleLazyObject(_enum_names),
    "POSTPROCESSING_HOOKS": [
        "connections_project.connections.openapi.add_tags",
        "drf_spectacular.hooks.postprocess_schema_enums",
        "connections_project.api.openapi_hooks.complete",
    ],
}
