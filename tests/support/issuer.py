"""An external issuer on loopback: it publishes keys, and signs whatever it is told to."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_encode

from connections_project.conf.issuers import Identity, Issuer
from tests.support.platform_server import Answer, PlatformServer

METADATA, JWKS = "/.well-known/openid-configuration", "/keys"
AUDIENCE = "connections"
# Making one takes a while.
RSA = rsa.generate_private_key(65537, 2048)


@dataclass
class Key:
    """A key of an issuer's, and what it is published as."""

    kid: str = "one"
    algorithm: str = "RS256"
    private: Any = field(default=RSA, repr=False)
    published: dict[str, Any] = field(default_factory=dict)

    def jwk(self) -> dict[str, Any]:
        made = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key())
        public = json.loads(made)
        public.pop("key_ops", None)
        return {**public, "kid": self.kid, "use": "sig", **self.published}


def ec_key(kid: str = "ec", curve: ec.EllipticCurve | None = None) -> Key:
    return Key(kid, "ES256", ec.generate_private_key(curve or ec.SECP256R1()))


def ed_key(kid: str = "ed") -> Key:
    return Key(kid, "EdDSA", ed25519.Ed25519PrivateKey.generate())


class TestIssuer:
    """An issuer whose keys stand at a scriptable server.

    Attributes:
        keys: What it publishes; the first one signs.
    """

    __test__ = False

    def __init__(self, server: PlatformServer) -> None:
        self.server = server
        self.url = server.url
        self.keys = [Key()]
        self.answer_well()

    def answer_well(self) -> None:
        """Publish the metadata and the keys."""
        published = {"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}"}
        self.server.on("GET", METADATA, Answer(json=published))
        self.server.on("GET", JWKS, lambda _: Answer(json={"keys": self.jwks()}))

    def answer(self, *answers: Answer) -> None:
        """Answer whoever asks for the keys in another way."""
        self.server.on("GET", JWKS, *answers)

    def jwks(self) -> list[dict[str, Any]]:
        return [key.jwk() for key in self.keys]

    @property
    def fetches(self) -> int:
        """How often the keys were asked for."""
        return len(self.server.requests_to(JWKS))

    def settings(self, **changed: Any) -> Identity:
        """Say what the service is told of it: `settings.IDENTITY = issuer.settings()`."""
        issuer = Issuer(name="main", issuer=self.url, audiences=(AUDIENCE,), **changed)
        return Identity({issuer.issuer: issuer}, {})

    def token(
        self, *, key: Key | None = None, headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Sign claims; those that are None are left out, as headers that are None."""
        key = key or self.keys[0]
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "kim",
            "email": "Kim@Example.com",
            "iat": now,
            "exp": now + 300,
        }
        body = {name: value for name, value in (usual | claims).items() if value is not None}
        usual_head = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt"} | (headers or {})
        head = {name: value for name, value in usual_head.items() if value is not None}
        # By hand, since the library writes no odd header.
        signed = b".".join(map(_part, (head, body)))
        algorithm = jwt.get_algorithm_by_name(key.algorithm)
        signature = base64url_encode(algorithm.sign(signed, key.private))
        return b".".join([signed, signature]).decode()


def _part(content: dict[str, Any]) -> bytes:
    return base64url_encode(json.dumps(content).encode())
