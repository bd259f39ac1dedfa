"""A bank that repeats to everybody what it was told, above all in its errors."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.bank import Bank
from tests.secrets.witness import Witness
from tests.servers import Answer, Request


@dataclass
class GossipingBank(Bank):
    """Its tokens are long enough to be recognised, and known to the witness from the start."""

    witness: Witness = field(default_factory=Witness)

    def open(self) -> None:
        super().open()
        self.server.on("POST", "/token", self.overhearing(lambda _: self.tokens()))
        self.server.on("POST", "/revoke", self.overhearing(lambda _: Answer(200)))

    def tokens(self, **differing: Any) -> Answer:
        given = {
            name: f"{name}-{secrets.token_urlsafe(24)}"
            for name in ("access_token", "refresh_token")
        }
        self.witness.knows("the bank's token", *given.values())
        return super().tokens(**{**given, **differing})

    def fails(self, method: str, path: str, status: int, **body: Any) -> None:
        """Let an endpoint fail, and quote what it was sent wherever there is room."""
        answer = self.overhearing(lambda request: gossip(request, status, **body))
        self.server.on(method, path, answer)

    def overhearing(self, answer: Any) -> Any:
        """Tell the witness what the request bears before it is answered."""

        def answered(request: Request) -> Answer:
            form = request.form
            if "code_verifier" in form:
                self.witness.knows("code verifier", form["code_verifier"])
            made: Answer = answer(request)
            return made

        return answered


def gossip(request: Request, status: int, **body: Any) -> Answer:
    """Answer with everything that the request told."""
    told = f"{request.body.decode()} {request.headers.get('Authorization', '')}"
    headers = {
        "X-Debug": told,
        "WWW-Authenticate": f'Bearer error="invalid_token", error_description="{told}"',
        "Set-Cookie": f"told={request.headers.get('Authorization', 'none')}",
        "Location": f"http://127.0.0.1:9/?{request.body.decode()}",
    }
    document = {"error": "told", "error_description": told, "message": told, **body}
    return Answer(status, json=document, headers=headers)


def babble(request: Request) -> Answer:
    """Answer with what was told, in something that is not JSON."""
    return Answer(200, body=b'{"access_token": ' + request.body)
