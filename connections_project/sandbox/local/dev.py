"""`make dev-up`, `make dev-down` and `make dev-connect`: the set-up that is left running.

Its settings are those of `.env`, as for every command; its state is in `.dev`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import django

from connections_project.conf.environment import read_env_file
from connections_project.sandbox.catalogue import catalogue_toml, issuers_toml
from connections_project.sandbox.local import background, people, processes
from connections_project.sandbox.local.api import Api, SurpriseError
from connections_project.sandbox.local.certificate import certificate_in, issue_where_missing
from connections_project.sandbox.local.guide import guide
from connections_project.sandbox.local.interruptions import Interrupted, raise_on_signals
from connections_project.sandbox.local.keys import DEV_FOLDER
from connections_project.sandbox.local.output import say
from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import ROOT, Program, StartError
from connections_project.sandbox.local.scenario import connect

PORT, SANDBOX_PORT = 8000, 9000


@dataclass(frozen=True)
class Ports:
    """Where the service and the sandbox listen, on this machine."""

    service: int
    sandbox: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.service}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox}"


USUAL = Ports(PORT, SANDBOX_PORT)


def up(folder: Path, asked: Ports) -> None:
    """Start what doesn't run yet, and say how to go on.

    Raises:
        PortTakenError: Somebody else listens at one of the ports.
        StartError: A program did not come up; what was started beside it is stopped again.
    """
    ports = _ports(folder, asked)
    missing = [one for one in programs(folder, ports) if not background.is_running(one, folder)]
    if missing:
        taken = [one.port for one in missing if one.port]
        check_free(*taken, hint="stop what listens there, or choose another: make dev-up PORT=8001")
        _make_ready(folder, ports)
        background.start_all(missing, env=os.environ, folder=folder)
    said = "Up and running." if missing else "Already up."
    say(f"{said}\n{guide(ports.url, ports.sandbox_url, _settings_of(folder, ports))}")


def down(folder: Path, asked: Ports = USUAL) -> None:
    """Stop whatever runs; the state stays for the next time."""
    background.stop_and_say(programs(folder, asked), folder)


def connect_sandbox(folder: Path, asked: Ports) -> None:
    """Connect the sandbox for the demo user and print the connection's id, nothing else.

    Raises:
        SurpriseError: The service does not answer, or not as it should.
    """
    url, authority = _ports(folder, asked).url, certificate_in(folder).authority
    if not authority.exists() or not processes.answers(f"{url}/api/v1/platforms", authority):
        raise SurpriseError(f"nothing of ours answers at {url}: call `make dev-up` first")
    with Api(url, authority=authority, write=_ignore) as api:
        api.sign_in(USER.email, USER.password)
        say(connect(api, step=_ignore)["id"])


def programs(folder: Path, ports: Ports) -> list[Program]:
    return [
        processes.sandbox(ports.sandbox, folder / "sandbox.sqlite3"),
        processes.service(ports.service, certificate_in(folder)),
        processes.revocations(),
    ]


def _ports(folder: Path, asked: Ports) -> Ports:
    """Return the ports of what runs; where nothing does, those that were asked for."""
    path = folder / "ports.json"
    is_up = any(background.is_running(one, folder) for one in programs(folder, asked))
    return Ports(**json.loads(path.read_text("utf-8"))) if is_up and path.exists() else asked


def _make_ready(folder: Path, ports: Ports) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "ports.json").write_text(json.dumps(asdict(ports)), "utf-8")
    issue_where_missing(certificate_in(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "connections_project.settings"
    os.environ.update(_settings_of(folder, ports))
    django.setup()
    people.make_ready()


def _settings_of(folder: Path, ports: Ports) -> dict[str, str]:
    """Return the settings that other ports than the usual ones need besides those of `.env`."""
    found = {}
    if ports.service != PORT:
        found["PUBLIC_URL"] = ports.url
    if ports.sandbox != SANDBOX_PORT:
        texts = {
            "OAUTH_CATALOG": ("catalog.toml", catalogue_toml(ports.sandbox_url)),
            "IDENTITY_ISSUERS": ("issuers.toml", issuers_toml(ports.sandbox_url)),
        }
        for variable, (name, text) in texts.items():
            (folder / name).write_text(text, "utf-8")
            found[variable] = str((folder / name).resolve())
        read_env_file(os.environ.get("ENV_FILE") or ".env")
        if "ADMIN_OIDC_ISSUER" in os.environ:
            found["ADMIN_OIDC_ISSUER"] = ports.sandbox_url
    return found


def _ignore(_line: str) -> None:
    """Print nothing: a shell takes the output as the id."""


VERBS: dict[str, Callable[[Path, Ports], None]] = {
    "up": up,
    "down": down,
    "connect": connect_sandbox,
}


def main() -> None:
    raise_on_signals()
    parser = argparse.ArgumentParser(prog="dev", description=__doc__)
    parser.add_argument("verb", choices=list(VERBS))
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--sandbox-port", type=int, default=SANDBOX_PORT)
    parser.add_argument("--folder", type=Path, default=ROOT / DEV_FOLDER)
    chosen = parser.parse_args()
    try:
        VERBS[chosen.verb](chosen.folder, Ports(chosen.port, chosen.sandbox_port))
    except (PortTakenError, StartError, SurpriseError) as error:
        sys.exit(f"dev-{chosen.verb}: {error}")
    except Interrupted:
        sys.exit(130)


if __name__ == "__main__":
    main()
