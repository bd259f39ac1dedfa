"""A bank that echoes what it was sent, above all in its errors."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.support.bank import Bank
from tests.support.platform_server import Answer, Request
from tests.support.token_probe import TokenProbe


@dataclass
class EchoBank(Bank):
    """Its tokens are long enough to be recognised, and known to the probe from the start."""

    probe: TokenProbe = field(default_factory=TokenProbe)

    def open(self) -> None:
        super().open()
        self.server.on("POST", "/token", self.probing(lambda _: self.tokens()))
        self.server.on("POST", "/revoke", self.probing(lambda _: Answer(200)))

    def tokens(self, **differing: Any) -> Answer:
        given = {
            name: f"{name}-{secrets.token_urlsafe(24)}"
            for name in ("access_token", "refresh_token")
        }
        self.probe.add_secret("the bank's token", *given.values())
        return super().tokens(**{**given, **differing})

    def fails(self, method: str, path: str, status: int, **body: Any) -> None:
        """Let an endpoint fail, and quote what it was sent wherever there is room."""
        answer = self.probing(lambda request: echo(request, status, **body))
        self.server.on(method, path, answer)

    def probing(self, answer: Any) -> Any:
        """Give the probe what the request carries before it is answered."""

        def answered(request: Request) -> Answer:
            form = request.form
            if "code_verifier" in form:
                self.probe.add_secret("code verifier", form["code_verifier"])
            made: Answer = answer(request)
            return made

        return answered


def echo(request: Request, status: int, **body: Any) -> Answer:
    """Answer with everything that the request told."""
    result = f"{request.body.decode()} {request.headers.get('Authorization', '')}"
    headers = {
        "X-Debug": result,
        "WWW-Authenticate": f'Bearer error="invalid_token", error_description="{result}"',
        "Set-Cookie": f"told={request.headers.get('Authorization', 'none')}",
        "Location": f"http://127.0.0.1:9/?{request.body.decode()}",
    }
    document = {"error": "told", "error_description": result, "message": result, **body}
    return Answer(status, json=document, headers=headers)


def echo_malformed(request: Request) -> Answer:
    """Answer with what was told, in something that is not JSON."""
    return Answer(200, body=b'{"access_token": ' + request.body)
