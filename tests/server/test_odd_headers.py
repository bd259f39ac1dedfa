"""No header that a library reads fails a request, whatever stands in it."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

TOKEN = "a token for the metrics"
PATHS = ("/metrics", "/healthz", "/sign-in", "/api/v1/me", "/static/admin/css/base.css", "/nothing")
ODD = {
    "Accept": (
        *(f"application/openmetrics-text;version={one}" for one in ("x", "9e999", "1..2", "é")),
        *("application/openmetrics-text;version=1.0.0;escaping=x", "text/plain;version=x"),
        *("text/html;q=1e999", "application/json; indent=99999999999999999999", "/", ";;=", "é"),
    ),
    "Accept-Language": ("de;q=9e9", "-,;", "é", "de-" + "x" * 4000),
    "Accept-Encoding": ("gzip;q=x", ";;", "identity;q=0, *;q=0"),
    "Range": ("bytes=x-y", "bytes=5-2", "bytes=-99999999999999999999", "bytes=" + "9" * 5000 + "-"),
    "If-Modified-Since": ("x", "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 31 Feb 2026 08:49:37 GMT"),
    "If-None-Match": ('"', "W/", "é"),
    "Cookie": ("sessionid=é", "=;=", 'a="\\777"'),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ODD)
def test_an_odd_header_is_no_fault(name: str, settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "connections_project.urls"
    settings.METRICS_TOKEN = TOKEN
    client = Client(raise_request_exception=False)
    for path in PATHS:
        for value in ODD[name]:
            # As it stands in a request: in bytes, of which WSGI makes Latin-1.
            headers: Any = {name: value.encode().decode("latin-1")}
            if path == "/metrics":
                headers["Authorization"] = f"Bearer {TOKEN}"
            answer = client.get(path, headers=headers)
            answer.close()
            assert answer.status_code < 500, (path, value)
