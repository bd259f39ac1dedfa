"""A time-stamping authority (RFC 3161) on loopback: OpenSSL's own, behind an HTTP server."""

import subprocess
from pathlib import Path

from tests.support.platform_server import Answer, PlatformServer, Request

PATH = "/tsa"
_SETTINGS = """
[authority]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
serial = serial
signer_cert = authority.pem
signer_key = authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
"""
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class TimestampAuthority:
    """An authority of its own root, whose files lie in a folder.

    Attributes:
        root: The PEM file of its root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "root.pem"
        (folder / "settings.cnf").write_text(_SETTINGS, encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        subject = ("-subj", f"/CN={folder.name}")
        key_and_root = ("-keyout", "root.key", "-out", "root.pem", "-days", "2")
        self._openssl("req", "-x509", *_NEW_KEY, *key_and_root, *subject)
        self._openssl("req", *_NEW_KEY, "-keyout", "authority.key", "-out", "request.pem", *subject)
        signing = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2")
        extensions = ("-extfile", "settings.cnf", "-extensions", "authority")
        issued = ("-in", "request.pem", "-out", "authority.pem")
        self._openssl("x509", "-req", *issued, *signing, *extensions)

    def serve(self, server: PlatformServer) -> str:
        """Answer at a server, and return the address."""
        server.on("POST", PATH, self.answer)
        return f"{server.url}{PATH}"

    def answer(self, request: Request) -> Answer:
        """Timestamp what is asked for; what is no request, OpenSSL refuses by a status."""
        assert request.headers["Content-Type"] == "application/timestamp-query"
        (self.folder / "query.tsq").write_bytes(request.body)
        reply = ("-config", "settings.cnf", "-section", "tsa", "-queryfile", "query.tsq")
        self._openssl("ts", "-reply", *reply, "-out", "answer.tsr")
        content = (self.folder / "answer.tsr").read_bytes()
        return Answer(body=content, headers={"Content-Type": "application/timestamp-reply"})

    def verified_by_openssl(self, response: bytes, *, digest: str) -> bool:
        (self.folder / "kept.tsr").write_bytes(response)
        given = ("-in", "kept.tsr", "-digest", digest, "-CAfile", "root.pem")
        return self._run("ts", "-verify", *given).returncode == 0

    def _openssl(self, *arguments: str) -> None:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stderr

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        command = ["openssl", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
