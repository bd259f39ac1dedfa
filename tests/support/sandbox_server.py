"""A sandbox in a process of its own, on a free port, for tests that connect to it for real."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connections_project.sandbox import walk
from connections_project.sandbox.catalogue import catalogue_toml

ROOT = Path(__file__).resolve().parents[2]
REDIRECT_URI = "https://localhost:8000/oauth/callback/sandbox"
READY = "Sandbox ready at "
SECONDS_TO_START = 90.0  # on a machine with much else to do


@dataclass(frozen=True)
class SandboxHandle:
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    catalogue_path: Path
    log_path: Path
    redirect_uri: str = REDIRECT_URI


@contextmanager
def running_sandbox(
    tmp_path: Path,
    *,
    redirect_uris: Sequence[str] = (REDIRECT_URI,),
    access_token_seconds: int = 1800,
) -> Iterator[SandboxHandle]:
    """Run a sandbox with a fresh client, a fresh database in `tmp_path` and a catalogue for it."""
    given = {
        "DEBUG": "true",
        "SANDBOX_CLIENT_ID": f"client-{secrets.token_hex(4)}",
        "SANDBOX_CLIENT_SECRET": secrets.token_urlsafe(32),
        "SANDBOX_REDIRECT_URIS": ",".join(redirect_uris),
        "SANDBOX_DATABASE": str(tmp_path / "sandbox.sqlite3"),
        "SANDBOX_PORT": "0",
        "SANDBOX_ACCESS_TOKEN_SECONDS": str(access_token_seconds),
    }
    log_path, catalogue_path = tmp_path / "sandbox.log", tmp_path / "sandbox-catalog.toml"
    with _process(given, log_path) as url:
        catalogue_path.write_text(catalogue_toml(url), encoding="utf-8")
        yield SandboxHandle(
            url=url,
            client_id=given["SANDBOX_CLIENT_ID"],
            client_secret=given["SANDBOX_CLIENT_SECRET"],
            catalogue_path=catalogue_path,
            log_path=log_path,
            redirect_uri=redirect_uris[0],
        )


@contextmanager
def _process(given: dict[str, str], log_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "connections_project.sandbox"]
    # A file rather than a pipe: a pipe that nobody reads fills up and stops the server.
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=os.environ | given, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield wait_until_ready(process, log_path)
        finally:
            process.terminate()


def wait_until_ready(process: subprocess.Popen[bytes], log_path: Path) -> str:
    """Return the sandbox's address as soon as it has said it."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        for line in log_path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.startswith(READY) and line.endswith("\n"):
                return line.removeprefix(READY).strip()
        time.sleep(0.02)
    raise AssertionError(f"the sandbox didn't start:\n{log_path.read_text(encoding='utf-8')}")


def authorize(
    handle: SandboxHandle, authorization_url: str, *, person: str = "ada", allow: bool = True
) -> str:
    """Walk sign-in and consent like a browser, and give the callback address."""
    assert authorization_url.startswith(f"{handle.url}/")
    return walk.authorize(authorization_url, person=person, allow=allow)


def introspect(handle: SandboxHandle, token: str) -> Mapping[str, Any]:
    """Ask the sandbox whether a token is alive."""
    return walk.introspect(
        handle.url, client_id=handle.client_id, client_secret=handle.client_secret, token=token
    )
