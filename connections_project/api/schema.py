"""`/api/schema`: the OpenAPI document."""

import threading
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from connections_project.api.errors import ApiException, service_busy

# drf-spectacular loads its extensions while it writes the first document; two threads that do so at
# once come into each other's way, and one of them may leave an extension out for good.
_one_at_a_time = threading.Lock()
# The document by its format: nothing in it depends on who asks, and to write it takes a second.
_written: dict[str, tuple[bytes, dict[str, str]]] = {}


@cache
def _first_readers() -> threading.BoundedSemaphore:
    """Return what those share who wait for the document: the other threads serve others."""
    return threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


class SchemaView(SpectacularAPIView):
    """Writes the document once in each process for each format."""

    def _get_schema_response(self, request: Request) -> Any:
        form = request.accepted_renderer.format
        if form not in _written:
            self._write_once(form, request)
        content, headers = _written[form]
        return HttpResponse(content, headers=headers)

    def _get_version_parameter(self, request: Request) -> None:
        """Take no version from the query: the first reader's would be shown to all others."""

    def _write_once(self, form: str, request: Request) -> None:
        """Have the first reader write it while some more wait.

        Raises:
            ApiException: 503, too many wait already.
        """
        if not _first_readers().acquire(blocking=False):
            raise ApiException(service_busy(retry_after=2))
        try:
            with _one_at_a_time:
                if form not in _written:
                    _written[form] = self._write(request)
        finally:
            _first_readers().release()

    def _write(self, request: Request) -> tuple[bytes, dict[str, str]]:
        response = super()._get_schema_response(request)  # type: ignore[no-untyped-call]
        response.accepted_renderer = request.accepted_renderer
        # As the renderer calls it: what else the Accept header says is for one reader alone.
        response.accepted_media_type = request.accepted_renderer.media_type
        response.renderer_context = self.get_renderer_context()
        response.render()
        return response.content, dict(response.headers)
