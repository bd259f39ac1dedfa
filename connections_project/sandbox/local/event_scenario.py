"""The host application is told: by signed events, in order after it was down, and by the feed."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command

from connections_project.sandbox.local.api import Api, SurpriseError
from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.ports import free_port
from connections_project.sandbox.local.processes import ROOT
from connections_project.sandbox.local.scenario import connect
from connections_project.sandbox.receiver import Event, EventReceiver, line

SOCIAL = "/api/v1/plugin/social-media-publisher/social"
READER = "host@example.com"
SECONDS = 15.0
MISSED = ["connection.disconnected", "revocation.succeeded", "connection.deleted"]


class EventScenario:
    """Runs one step after the other, and raises SurpriseError at the first that goes wrong."""

    def __init__(self, api: Api, *, write: Callable[[str], None], steps: int) -> None:
        self.api = api
        self.write = write
        self.steps = steps
        self.receiver = EventReceiver(free_port(), "", self.show)

    def run(self) -> None:
        self.make_an_endpoint()
        self.receiver.start()
        try:
            self.hear_of_a_disconnect()
            self.catch_up_after_being_down()
        finally:
            self.receiver.stop()
        self.read_the_feed()

    def make_an_endpoint(self) -> None:
        self.step("Make an endpoint for the host application, which verifies what comes")
        answer = json.loads(self.command("create_event_endpoint", self.receiver.url, "--json"))
        self.receiver.secret = answer["secret"]
        self.write("   <- *** (the secret that events are signed with)")

    def hear_of_a_disconnect(self) -> None:
        self.api.sign_in(USER.email, USER.password)
        self.step("Disconnect a page: the host application is told")
        query = {"active": "true"}
        account = self.api.call("GET", f"{SOCIAL}/accounts", query=query, expect=200)["accounts"][0]
        self.api.call("DELETE", f"{SOCIAL}/disconnect/{account['id']}", expect=200)
        self.wait_for(["connection.disconnected"], connection_id=account["id"])

    def catch_up_after_being_down(self) -> None:
        connection_id = connect(self.api, step=self.step)["id"]
        self.wait_for(["connection.connected"], connection_id=connection_id)
        self.step("Stop the receiver, disconnect, and delete from sight")
        self.receiver.stop()
        self.api.call("DELETE", f"/api/v1/auth/{connection_id}/disconnect", expect=200)
        self.api.call("DELETE", f"/api/v1/providers/{connection_id}", expect=204)
        if len(self.types(connection_id)) != 1:
            raise SurpriseError("a receiver that is down has taken something")
        self.step("Start it again: what it missed comes, in order")
        self.receiver.start()
        self.write("   -> manage.py deliver_events, until nothing is due")
        self.wait_for(["connection.connected", *MISSED], connection_id=connection_id)

    def read_the_feed(self) -> None:
        self.step("Read the same in the feed, as a service account that may")
        password = secrets.token_urlsafe()
        self.make_a_reader(password)
        self.api.sign_in(READER, password)
        feed = self.api.call("GET", "/api/v1/events", query={"limit": "100"}, expect=200)
        sent_ids = [event["id"] for event in self.receiver.taken]
        if sorted(event["id"] for event in feed["data"]) != sorted(sent_ids):
            raise SurpriseError("the feed has other events than those that were delivered")
        if self.receiver.refused:
            raise SurpriseError("the receiver refused a signature")

    def make_a_reader(self, password: str) -> None:
        command = ("create_service_account", READER, "--read-events", "--password-stdin")
        self.write(f"   -> manage.py {' '.join(command)}")
        made = subprocess.run(  # noqa: S603 - the command is our own.
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            input=password,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise SurpriseError(f"no service account was made: {made.stderr}")

    def wait_for(self, types: list[str], *, connection_id: str) -> None:
        """Deliver what is due until these have come, in this order and nothing else."""
        ends_at = time.monotonic() + SECONDS
        while len(self.types(connection_id)) < len(types) and time.monotonic() < ends_at:
            call_command("deliver_events", "--once", stdout=StringIO(), stderr=StringIO())
            time.sleep(0.1)
        if (came := self.types(connection_id)) != types:
            raise SurpriseError(f"the receiver was told of {came} instead of {types}")

    def types(self, connection_id: str) -> list[str]:
        of_it = [one for one in self.receiver.taken if _connection(one) == connection_id]
        return [event["type"] for event in of_it]

    def command(self, name: str, *arguments: str) -> str:
        self.write(f"   -> manage.py {name} {' '.join(arguments)}")
        out = StringIO()
        call_command(name, *arguments, stdout=out, stderr=StringIO())
        return out.getvalue()

    def show(self, event: Event) -> None:
        self.write(f"   => {line(event)}")

    def step(self, title: str) -> None:
        self.steps += 1
        self.write(f"\n{self.steps}. {title}")


def _connection(event: Event) -> Any:
    return event["data"].get("connection", {}).get("id")
