"""`make dev-up`, `make dev-down` and `make dev-connect`: the set-up that is left running.

Its settings are those of `.env`, as for every command; its state is in `.dev`.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import django

from connections_project.sandbox.local import background, people, processes
from connections_project.sandbox.local.api import Api, SurpriseError
from connections_project.sandbox.local.certificate import certificate_in, issue_where_missing
from connections_project.sandbox.local.guide import guide
from connections_project.sandbox.local.interruptions import Interrupted, raise_on_signals
from connections_project.sandbox.local.keys import DEV_FOLDER
from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import ROOT, Program, StartError
from connections_project.sandbox.local.scenario import connect

PORT, SANDBOX_PORT = 8000, 9000
BASE_URL = f"https://localhost:{PORT}"


def up(folder: Path) -> None:
    """Start what doesn't run yet, and say how to go on.

    Raises:
        PortTakenError: Somebody else listens at one of the ports.
        StartError: A program did not come up; what was started beside it is stopped again.
    """
    missing = [one for one in programs(folder) if not background.is_running(one, folder)]
    if missing:
        ports = [one.port for one in missing if one.port]
        check_free(*ports, hint="stop what listens there, then call `make dev-up` again")
        _make_ready(folder)
        background.start_all(missing, env=os.environ, folder=folder)
    _say(f"{'Up and running.' if missing else 'Already up.'}\n{guide(BASE_URL)}")


def down(folder: Path) -> None:
    """Stop whatever runs; the state stays for the next time."""
    stopped = background.stop_all(programs(folder), folder)
    for program in stopped:
        _say(f"Stopped the {program.name}.")
    if not stopped:
        _say("Nothing is running.")


def connect_sandbox(folder: Path) -> None:
    """Connect the sandbox for the demo user and print the connection's id, nothing else.

    Raises:
        SurpriseError: The service does not answer, or not as it should.
    """
    authority = certificate_in(folder).authority
    if not authority.exists() or not processes.answers(f"{BASE_URL}/api/v1/platforms", authority):
        raise SurpriseError(f"nothing of ours answers at {BASE_URL}: call `make dev-up` first")
    with Api(BASE_URL, authority=authority, write=_ignore) as api:
        api.sign_in(USER.email, USER.password)
        _say(connect(api, step=_ignore)["id"])


def programs(folder: Path) -> list[Program]:
    return [
        processes.sandbox(SANDBOX_PORT, folder / "sandbox.sqlite3"),
        processes.service(PORT, certificate_in(folder)),
        processes.revocations(),
    ]


def _make_ready(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    issue_where_missing(certificate_in(folder))
    os.chdir(ROOT)  # The paths in `.env` start here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "connections_project.settings"
    django.setup()
    people.make_ready()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _ignore(_line: str) -> None:
    """Print nothing: a shell takes the output as the id."""


VERBS: dict[str, Callable[[Path], None]] = {"up": up, "down": down, "connect": connect_sandbox}


def main() -> None:
    raise_on_signals()
    verb = sys.argv[1]
    try:
        VERBS[verb](ROOT / DEV_FOLDER)
    except (PortTakenError, StartError, SurpriseError) as error:
        sys.exit(f"dev-{verb}: {error}")
    except Interrupted:
        sys.exit(130)


if __name__ == "__main__":
    main()
