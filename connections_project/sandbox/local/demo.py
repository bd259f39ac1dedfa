"""`make demo`: a service and a sandbox of its own, the whole story, and nothing left behind."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from connections_project.oauth.client import ClientRegistration
from connections_project.sandbox.local import processes
from connections_project.sandbox.local.api import Api, SurpriseError
from connections_project.sandbox.local.channel_story import ChannelStory
from connections_project.sandbox.local.interruptions import Interrupted, raise_on_signals
from connections_project.sandbox.local.ports import PortTakenError, check_free
from connections_project.sandbox.local.processes import StartError
from connections_project.sandbox.local.social_story import SocialStory
from connections_project.sandbox.local.stage import Stage
from connections_project.sandbox.local.story import Story
from connections_project.sandbox.local.witness import Witness

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
            play(Stage(Path(folder), asked.port, asked.sandbox_port))
    except (PortTakenError, StartError, SurpriseError) as error:
        sys.exit(f"Demo: {error}")
    except Interrupted:
        sys.stderr.write("\nDemo: interrupted. What was started is stopped and removed.\n")
        sys.exit(130)


def play(stage: Stage) -> None:
    """Start everything, tell the story, stop everything.

    Raises:
        StartError: Service or sandbox did not come up.
        SurpriseError: The story went otherwise than it should.
    """
    began = time.monotonic()
    tell(f"Starting the service at {stage.url} and a bank at {stage.sandbox_url}")
    tell(f"with fresh keys and an own database, in {stage.folder}")
    with stage.up() as registration:
        tell(f"Both are up after {time.monotonic() - began:.0f} s.")
        walk_through(stage, registration)
    tell(f"\nAll went as it should, in {time.monotonic() - began:.0f} s; everything is stopped.")


def walk_through(stage: Stage, registration: ClientRegistration) -> None:
    with Api(stage.url, authority=stage.authority, tell=tell) as api:
        story = Story(api, Witness(stage.sandbox_url, registration), tell=tell)
        try:
            story.run()
            channels = ChannelStory(api, stage.sandbox_url, tell=tell, steps=story.steps)
            channels.run()
            SocialStory(api, tell=tell, steps=channels.steps).run()
        except (KeyError, IndexError, TypeError) as error:
            raise SurpriseError(f"an answer has another form than documented: {error}") from error
        except SurpriseError as error:
            log = processes.tail(stage.folder / "service.log")
            raise SurpriseError(f"{error}.\nThe service's log ends so:\n{log}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sandbox-port", type=int, default=9000)
    return parser.parse_args()


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
