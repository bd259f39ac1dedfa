"""Queries and forms are UTF-8, and no Content-Type fails before the service can answer."""

from collections.abc import Iterator
from io import BytesIO
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from connections_project.server.handler import wsgi_application
from connections_project.server.rsgi import Environ

# Of Python's codecs: some that decode no text, and some that decode more than text.
CODECS = ("hex", "zip", "rot13", "uu", "undefined", "idna", "punycode", "utf-7", "unicode_escape")
PARAMETERS = (*(f"charset={codec}" for codec in CODECS), "x*=a\"b''%ff", "x*=undefined''%ff")
PATHS = (
    "/healthz?x=1",
    "/sign-in?next=/%C3%A9",
    "/admin/login/?next=/",
    "/connections?page=\\ud800",
    "/oauth/callback/sandbox?code=a&state=\\ud800",
    "/api/v1/platforms?app=providers",
    "/api/v1/connections?limit=2",
    "/scim/v2/Users?count=1",
)
FORMS = (("/sign-in", "username"), ("/api/v1/webhooks/meta/deauthorize", "signed_request"))
PART = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\nvalue\r\n--x--\r\n'


@pytest.fixture(autouse=True)
def _all_addresses(settings: LazySettings, db: None) -> Iterator[None]:
    settings.ROOT_URLCONF = "connections_project.urls"
    # As Django's own client: the test's transaction outlives a request.
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def status(method: str, address: str, kind: str, text: str = "") -> int:
    """Return the status of an answer of the application as servers call it."""
    path, _, query = address.partition("?")
    body, told = text.encode(), []
    environ: Environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query,
        "HTTP_HOST": "testserver", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }  # fmt: skip
    setup_testing_defaults(environ)
    answer = wsgi_application()(environ, lambda line, *_: told.append(line))
    b"".join(answer)
    return int(told[0][:3])


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_query_is_utf_8(parameter: str) -> None:
    for address in PATHS:
        assert status("GET", address, f"application/json; {parameter}") < 500, address


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_form_is_utf_8(parameter: str) -> None:
    for path, name in FORMS:
        kind = f"multipart/form-data; boundary=x; {parameter}"
        assert status("POST", path, kind, PART.format(name)) in {400, 403}, path
        kind = f"application/x-www-form-urlencoded; {parameter}"
        assert status("POST", path, kind, f"{name}=value") in {400, 403}, path
