"""A client that holds every answer against the OpenAPI document."""

import re
from typing import Any

from django.http import Http404
from rest_framework.test import APIClient

from tests.support.openapi_document import Reader, error_code


class ReadingClient(APIClient):
    """Fails as soon as an answer is not as the document says.

    Attributes:
        seen: Method, path and status of all answers so far.
    """

    def __init__(self, reader: Reader, token: str = "") -> None:
        super().__init__(raise_request_exception=False)
        self.reader = reader
        self.seen: list[tuple[str, str, int]] = []
        if token:
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        method, path = request["REQUEST_METHOD"].lower(), template_of(response)
        self.seen.append((method, path, response.status_code))
        if method in self.reader.document["paths"].get(path, {}):
            self._read(response, method, path)
        else:
            assert response.status_code in {404, 405}
            self.reader.check_error(response.json(), request["PATH_INFO"])
        return response

    def _read(self, response: Any, method: str, path: str) -> None:
        described = self.reader.response(method, path, response.status_code)
        self.reader.check_headers(response.headers, described.get("headers", {}))
        if "content" not in described:
            assert response.content == b""
            return
        body, content = response.json(), described["content"][response.headers["Content-Type"]]
        self.reader.check_body(body, content["schema"])
        if response.status_code >= 400:
            samples = [error_code(example["value"]) for example in content["examples"].values()]
            assert error_code(body) in samples


def template_of(response: Any) -> str:
    """Write the path of an answer as the document does: `/api/v1/providers/{id}`."""
    try:
        route: str = response.resolver_match.route
    except Http404:
        return ""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
