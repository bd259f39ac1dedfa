"""The embedded default and a sandbox that is its platforms, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connections_project.sandbox.local.keys import fresh_keys
from tests.support.deployment import Deployment
from tests.support.platform_server import free_port
from tests.support.process_environment import ROOT
from tests.support.sandbox_server import SandboxHandle, running_sandbox

PASSWORD = "correct horse battery staple"
SLUGS = ("SANDBOX", "SANDBOX_PAGES", "SANDBOX_SOCIAL")


@dataclass(frozen=True)
class Served:
    """The service's address, and its platforms."""

    url: str
    sandbox: SandboxHandle


@contextmanager
def served_with_sandbox(folder: Path, *, users: Sequence[str]) -> Iterator[Served]:
    """Serve both, on databases of their own.

    Args:
        folder: An empty one.
        users: E-mail addresses of people who may sign in, all with PASSWORD.
    """
    of_sandbox, of_service = folder / "sandbox", folder / "service"
    of_sandbox.mkdir()
    of_service.mkdir()
    with running_sandbox(of_sandbox) as sandbox, _service(sandbox, of_service, users) as url:
        yield Served(url, sandbox)


@contextmanager
def _service(sandbox: SandboxHandle, folder: Path, users: Sequence[str]) -> Iterator[str]:
    environment = _environment(sandbox, folder)
    commands = [("migrate", "-v0"), *(("create_user", one, "--password-stdin") for one in users)]
    for command in commands:
        arguments = [sys.executable, "manage.py", *command]
        subprocess.run(arguments, cwd=ROOT, env=environment, input=PASSWORD, text=True, check=True)
    port = free_port()
    with Deployment(environment, folder).web(port):
        yield f"http://127.0.0.1:{port}"


def _environment(sandbox: SandboxHandle, folder: Path) -> dict[str, str]:
    client = {
        "CLIENT_ID": sandbox.client_id,
        "CLIENT_SECRET": sandbox.client_secret,
        "REDIRECT_URIS": sandbox.redirect_uri,
    }
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **fresh_keys(),
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "connections_project.settings",
        "DEBUG": "true",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "AUDIT_HEADS_FILE": str(folder / "audit-heads.jsonl"),
        "OAUTH_CATALOG": str(sandbox.catalogue_path),
        # Whoever walks all three apps starts and completes three flows at once.
        "RATE_LIMIT_PROVIDER_CONNECT": "60/60",
        **{f"OAUTH_{slug}_{name}": value for slug in SLUGS for name, value in client.items()},
    }
