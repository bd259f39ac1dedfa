"""Meta's Graph API on loopback, as its pages describe it; calls without their proof are refused."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connections_project.platforms.catalog import catalog
from tests.support.platform_server import Answer, PlatformServer, Request

ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "identity_endpoint",
    "granted_accounts_endpoint",
)
USER = "1000000007"
DEAD = Answer(400, json={"error": {"message": "…", "type": "OAuthException", "code": 190}})
REMOVED = Answer(400, body=b'{"error":{"type":"OAuthException","code":190,"error_subcode":458}}')


@dataclass
class Graph:
    """One person there, with as many Pages as there are ids."""

    server: PlatformServer
    slug: str
    pages: list[str] = field(default_factory=lambda: ["71", "72", "73"])
    exchanges: int = 0
    secret: str = "client secret"

    @property
    def version(self) -> str:
        return "" if self.slug == "threads" else "/v25.0"

    def overlay(self) -> str:
        """Write what is laid over the shipped entry: another host, and nothing else."""
        platform = catalog()[self.slug]
        here = urlsplit(self.server.url)
        moved = {
            name: urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc).geturl()
            for name in ENDPOINTS
            if (url := getattr(platform, name))
        }
        lines = [f'{name} = "{url}"' for name, url in moved.items()]
        return "\n".join([f"[social.{self.slug}]", *lines])

    def open(self) -> None:
        self.on("POST", "/oauth/access_token", lambda _: token("short", 3600))
        self.on("GET", "/oauth/access_token", self.exchange)
        self.on("GET", "/access_token", self.exchange)
        self.on("GET", "/refresh_access_token", self.exchange)
        identity = {"id": USER, "name": "Ada", "username": "ada"}
        self.on("GET", "/me", self.signed(lambda _: Answer(json=identity)))
        self.on("GET", "/me/accounts", self.signed(self.list_pages))
        self.on("DELETE", f"/{USER}/permissions", Answer(json={"success": True}))

    def on(self, method: str, path: str, *scripts: Any) -> None:
        self.server.on(method, f"{self.version}{path}", *scripts)

    def sent(self, path: str) -> list[Request]:
        return self.server.requests_to(f"{self.version}{path}")

    def signed(self, script: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        """Answer only what bears a token and the proof that belongs to it."""

        def checked(request: Request) -> Answer:
            return script(request) if self.is_proven(request) else Answer(400, json={})

        return checked

    def is_proven(self, request: Request) -> bool:
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        given = {**request.query, **request.form}.get("appsecret_proof")
        return given == hmac.new(self.secret.encode(), bearer.encode(), hashlib.sha256).hexdigest()

    def exchange(self, request: Request) -> Answer:
        self.exchanges += 1
        if request.query.get("client_secret", self.secret) != self.secret:
            return Answer(400, json={"error": {"code": 101}})
        return token(f"long-{self.exchanges}", 5_184_000)

    def list_pages(self, request: Request) -> Answer:
        """List two Pages at a time, with a cursor and an address that holds the token."""
        start = int(request.query.get("after", "0"))
        pages = self.pages[start : start + 2]
        paging: dict[str, Any] = {"cursors": {"after": str(start + 2)}}
        if start + 2 < len(self.pages):
            paging["next"] = "https://graph.facebook.com/next?access_token=secret"
        asked_with = request.headers["Authorization"].removeprefix("Bearer ")
        entries = [self.page(one, asked_with) for one in pages]
        return Answer(json={"data": entries, "paging": paging})

    def page(self, one: str, asked_with: str) -> dict[str, Any]:
        result: dict[str, Any] = {"id": one, "name": f"Page {one}"}
        result["access_token"] = f"page-{one}-by-{asked_with}"
        # The first Page has no Instagram account.
        if one != "71":
            result["instagram_business_account"] = {"id": f"17{one}", "username": f"insta{one}"}
        return result


def token(name: str, expires_in: int) -> Answer:
    return Answer(json={"access_token": name, "token_type": "bearer", "expires_in": expires_in})
