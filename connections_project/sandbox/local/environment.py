"""The demo's own service and sandbox, which are removed at its end."""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import django

from connections_project.oauth.client import ClientRegistration
from connections_project.platforms.catalog import client_registration
from connections_project.sandbox.catalogue import catalogue_toml, issuers_toml
from connections_project.sandbox.local import people, processes
from connections_project.sandbox.local.certificate import certificate_in, issue_where_missing
from connections_project.sandbox.local.interruptions import ignore_signals
from connections_project.sandbox.local.keys import fresh_keys
from connections_project.sandbox.local.processes import Program

# What a process needs of its surroundings. No setting of the service is among it.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")


@dataclass(frozen=True)
class DemoEnvironment:
    """A folder, and two ports of localhost."""

    folder: Path
    port: int
    sandbox_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def authority(self) -> Path:
        return certificate_in(self.folder).authority

    @contextmanager
    def up(self) -> Iterator[ClientRegistration]:
        """Run both, this process being set up as the service's; give the client it is there.

        Raises:
            StartError: One of them did not come up.
        """
        self._set_the_environment()
        issue_where_missing(certificate_in(self.folder))
        service = processes.service(self.port, certificate_in(self.folder))
        sandbox = processes.sandbox(self.sandbox_port, self.folder / "sandbox.sqlite3")
        with ExitStack() as running:
            try:
                self._start(service, sandbox, running)
                yield client_registration("sandbox")
            finally:
                ignore_signals()

    def _start(self, service: Program, sandbox: Program, running: ExitStack) -> None:
        started = {sandbox: self._started(sandbox, running)}
        django.setup()
        # The scenario says by itself what is sealed.
        logging.getLogger("audit").setLevel(logging.WARNING)
        people.make_ready()
        started[service] = self._started(service, running)
        for program, process in started.items():
            processes.wait_until_ready(program, process, folder=self.folder)

    def _set_the_environment(self) -> None:
        """Set every setting here: neither the caller's nor those of `.env` are used."""
        catalogue = self.folder / "catalog.toml"
        catalogue.write_text(catalogue_toml(self.sandbox_url), encoding="utf-8")
        issuers = self.folder / "issuers.toml"
        issuers.write_text(issuers_toml(self.sandbox_url), encoding="utf-8")
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        own = {
            "DJANGO_SETTINGS_MODULE": "connections_project.settings",
            "ENV_FILE": os.devnull,
            "DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{self.folder / 'db.sqlite3'}",
            "AUDIT_HEADS_FILE": str(self.folder / "audit-heads.jsonl"),
            "PUBLIC_URL": self.url,
            "OAUTH_CATALOG": str(catalogue),
            "IDENTITY_ISSUERS": str(issuers),
            # Nobody who watches waits for five seconds.
            "EVENT_RETRY_SECONDS": "1",
        }
        os.environ.clear()
        os.environ.update(kept | fresh_keys() | own)

    def _started(self, program: Program, running: ExitStack) -> subprocess.Popen[bytes]:
        process = processes.start(program, env=os.environ, folder=self.folder)
        running.callback(processes.stop, process)
        return process
