"""`/api/schema`: the OpenAPI document."""

import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

# drf-spectacular loads its extensions while it writes the first document; two threads that do so at
# once come into each other's way, and one of them may leave an extension out for good.
_one_at_a_time = threading.Lock()
# The document by its format: nothing in it depends on who asks, and to write it takes a second.
_written: dict[str, tuple[bytes, dict[str, str]]] = {}


class SchemaView(SpectacularAPIView):
    """Writes the document once in each process for each format."""

    def _get_schema_response(self, request: Request) -> Any:
        form = request.accepted_renderer.format
        if form not in _written:
            with _one_at_a_time:
                if form not in _written:
                    _written[form] = self._write(request)
        content, headers = _written[form]
        return HttpResponse(content, headers=headers)

    def _write(self, request: Request) -> tuple[bytes, dict[str, str]]:
        response = super()._get_schema_response(request)  # type: ignore[no-untyped-call]
        response.accepted_renderer = request.accepted_renderer
        # As the renderer calls it: what else the Accept header says is for one reader alone.
        response.accepted_media_type = request.accepted_renderer.media_type
        response.renderer_context = self.get_renderer_context()
        response.render()
        return response.content, dict(response.headers)
