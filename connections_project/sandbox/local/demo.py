"""`make demo`: a service and a sandbox of its own, the whole scenario, and nothing left behind."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from connections_project.oauth.client import ClientRegistration
from connections_project.sandbox.local import processes
from connections_project.sandbox.local.api import Api, SurpriseError
from connections_project.sandbox.local.channel_scenario import ChannelScenario
from connections_project.sandbox.local.environment import DemoEnvironment
from connections_project.sandbox.local.event_scenario import EventScenario
from connections_project.sandbox.local.external_scenario import ExternalScenario
from connections_project.sandbox.local.interruptions import Interrupted, raise_on_signals
from connections_project.sandbox.local.output import say
from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import StartError
from connections_project.sandbox.local.scenario import Scenario
from connections_project.sandbox.local.social_scenario import SocialScenario
from connections_project.sandbox.local.steps import Steps
from connections_project.sandbox.local.token_probe import TokenProbe

HINT = (
    "stop what listens there (`make dev-down`, if it is the development set-up), "
    "or choose other ports: make demo PORT=8001 SANDBOX_PORT=9001"
)


def main() -> None:
    raise_on_signals()
    asked = _arguments()
    try:
        check_free(asked.port, asked.sandbox_port, hint=HINT)
        with tempfile.TemporaryDirectory(prefix="connections-demo-") as folder:
            run(DemoEnvironment(Path(folder), asked.port, asked.sandbox_port))
    except (PortTakenError, StartError, SurpriseError) as error:
        sys.exit(f"Demo: {error}")
    except Interrupted:
        sys.stderr.write("\nDemo: interrupted. What was started is stopped and removed.\n")
        sys.exit(130)


def run(environment: DemoEnvironment) -> None:
    """Start everything, run the scenarios, stop everything.

    Raises:
        StartError: Service or sandbox did not come up.
        SurpriseError: A scenario went otherwise than it should.
    """
    began = time.monotonic()
    say(f"Starting the service at {environment.url} and a bank at {environment.sandbox_url}")
    say(f"with fresh keys and an own database, in {environment.folder}")
    with environment.up() as registration:
        say(f"Both are up after {time.monotonic() - began:.0f} s.")
        walk_through(environment, registration)
    say(f"\nAll went as it should, in {time.monotonic() - began:.0f} s; everything is stopped.")


def walk_through(environment: DemoEnvironment, registration: ClientRegistration) -> None:
    with Api(environment.url, authority=environment.authority, write=say) as api:
        url, steps = environment.sandbox_url, 0
        scenarios: list[Callable[..., Steps]] = [
            partial(Scenario, probe=TokenProbe(url, registration)),
            partial(ChannelScenario, sandbox_url=url),
            SocialScenario,
            partial(ExternalScenario, issuer_url=url),
            EventScenario,
        ]
        try:
            for made in scenarios:
                scenario = made(api=api, write=say, steps=steps)
                scenario.run()
                steps = scenario.steps
        except (KeyError, IndexError, TypeError) as error:
            raise SurpriseError(f"an answer has another form than documented: {error}") from error
        except SurpriseError as error:
            log = processes.tail(environment.folder / "service.log")
            raise SurpriseError(f"{error}.\nThe service's log ends so:\n{log}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sandbox-port", type=int, default=9000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
