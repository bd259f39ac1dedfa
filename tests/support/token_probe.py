"""Looks for known secrets in everything that the service writes."""

import base64
import html
import json
import logging
import pickle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import redis
from django.conf import settings
from django.contrib import admin
from django.core.cache import caches
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from connections_project.core.logs import JsonFormatter
from tests.support.emptying import KEPT

# What a call hands out: the fields of its answer that nobody else may see.
INTENDED_FIELDS = {
    "/api/v1/auth/login": ["access_token", "refresh_token"],
    "/api/v1/auth/refresh": ["access_token", "refresh_token"],
    "/api/v1/providers": ["state", "authorization_url"],
    "/api/v1/channels/connect": ["state", "authorization_url"],
    "/api/v1/plugin/social-media-publisher/social/connect": ["state", "authorizationUrl"],
}
FLOW_COOKIE = "__Host-oauth_flow"


class TokenProbe:
    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.texts: list[tuple[str, str]] = []

    def add_secret(self, what: str, *values: str) -> None:
        for value in values:
            # A short one would be found by chance.
            assert len(value) >= 16, what
            self.secrets[value] = what

    def read(self, where: str, text: Any) -> None:
        self.texts.append((where, text if isinstance(text, str) else repr(text)))

    def leaks(self) -> list[str]:
        """Name each secret that was said, and where; never the secret itself."""
        spellings = {s: what for value, what in self.secrets.items() for s in _spellings(value)}
        return sorted(
            {
                f"{what} in {where}"
                for where, text in self.texts
                for spelling, what in spellings.items()
                if spelling in text
            }
        )

    def read_database(self) -> None:
        """Read every column of every row, as it is stored."""
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                for row in cursor.fetchall():
                    self.read(f"table {table}", str(row))

    def read_database_file(self) -> None:
        """Read what SQLite has written, pages that are free again among it."""
        name = str(connection.settings_dict["NAME"])
        for path in [Path(name), Path(f"{name}-wal")]:
            if connection.vendor == "sqlite" and path.exists():
                self.read("the database's file", path.read_bytes().decode("latin-1"))

    def read_cache(self) -> None:
        for key, value in _cached():
            self.read("the cache", f"{key!r} {value!r}")

    def read_admin(self, superuser: Any) -> None:
        """Open the list and the pages of all rows that have been made since `migrate`."""
        client = Client()
        client.force_login(superuser)
        for model in admin.site._registry:
            rows = [] if model._meta.db_table in KEPT else list(model._base_manager.all())
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            for page in [path, *(f"{path}{row.pk}/change/" for row in rows)] if rows else []:
                answer = client.get(page)
                assert answer.status_code == 200, page
                self.read(f"the admin's {path}", answer.content.decode())


def _spellings(value: str) -> set[str]:
    written = {value, quote(value, safe=""), quote_plus(value), html.escape(value)}
    return written | {json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()}


def _cached() -> list[tuple[Any, Any]]:
    if settings.REDIS_URL:
        store = redis.Redis.from_url(settings.REDIS_URL)
        return [
            (key, store.get(key) if store.type(key) == b"string" else b"")
            for key in store.scan_iter()
        ]
    local: Any = caches["default"]
    return [(key, pickle.loads(value)) for key, value in local._cache.items()]


class ProbeHandler(logging.Handler):
    """Reads every line of every logger, with its exception, in both of our formats."""

    def __init__(self, probe: TokenProbe) -> None:
        super().__init__(logging.NOTSET)
        self.probe = probe
        self.formats = [logging.Formatter("%(name)s %(message)s"), JsonFormatter()]

    def emit(self, record: logging.LogRecord) -> None:
        for each in self.formats:
            self.probe.read(f"the log of {record.name}", each.format(record))


class ProbedClient(APIClient):
    """A client whose probe reads all that comes back but what was meant for the caller."""

    default_format = "json"

    def __init__(self, probe: TokenProbe) -> None:
        super().__init__(raise_request_exception=False)
        self.probe = probe

    def request(self, **kwargs: Any) -> Any:
        answer = super().request(**kwargs)
        path = kwargs["PATH_INFO"]
        self._learn(answer)
        self.probe.read(f"the headers of {path}", str(dict(answer.headers)))
        self.probe.read(f"the answer of {path}", _without(answer, INTENDED_FIELDS.get(path, [])))
        return answer

    def _learn(self, answer: Any) -> None:
        if FLOW_COOKIE in answer.cookies:
            self.probe.add_secret("flow cookie", answer.cookies[FLOW_COOKIE].value)
        if "json" not in answer.headers.get("Content-Type", "") or answer.status_code >= 300:
            return
        body = answer.json()
        for name in ("access_token", "refresh_token", "state"):
            if name in body:
                self.probe.add_secret(f"our {name}", body[name])
        if "authorization_url" in body:
            query = parse_qs(urlsplit(body["authorization_url"]).query)
            assert query["state"] == [body["state"]]


def _without(answer: Any, fields: list[str]) -> str:
    text: str = answer.content.decode()
    if not fields or answer.status_code >= 300 or not text:
        return text
    body = answer.json()
    return json.dumps({name: value for name, value in body.items() if name not in fields})
