"""`/api/schema`: the OpenAPI document."""

import threading
from typing import Any

from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

# drf-spectacular loads its extensions while it writes the first document; two threads that do so at
# once come into each other's way, and one of them may leave an extension out for good.
_one_at_a_time = threading.Lock()


class SchemaView(SpectacularAPIView):
    """Writes the document for one reader at a time."""

    def _get_schema_response(self, request: Request) -> Any:
        with _one_at_a_time:
            return super()._get_schema_response(request)  # type: ignore[no-untyped-call]
