"""The host application is told: by signed events, in order after it was down, and by the feed."""

import json
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from django.core.management import call_command

from connections_project.sandbox.local.api import SurpriseError
from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.ports import free_port
from connections_project.sandbox.local.processes import ROOT
from connections_project.sandbox.local.scenario import connect
from connections_project.sandbox.local.steps import Steps, expect
from connections_project.sandbox.receiver import Event, EventReceiver, line

SOCIAL = "/api/v1/plugin/social-media-publisher/social"
READER = "host@example.com"
SECONDS = 15.0
MISSED = ["connection.disconnected", "revocation.succeeded", "connection.deleted"]


@dataclass(kw_only=True)
class EventScenario(Steps):
    receiver: EventReceiver = field(init=False)

    def __post_init__(self) -> None:
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
        expect(len(self.types(connection_id)) == 1, "a receiver that is down has taken something")
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
        told = (feed["data"], self.receiver.taken)
        found, sent = (sorted(event["id"] for event in events) for events in told)
        expect(found == sent, "the feed has other events than those that were delivered")
        expect(not self.receiver.refused, "the receiver refused a signature")

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
        came = self.types(connection_id)
        expect(came == types, f"the receiver was told of {came} instead of {types}")

    def types(self, connection_id: str) -> list[str]:
        of_it = [one for one in self.receiver.taken if _connection(one) == connection_id]
        return [event["type"] for event in of_it]

    def show(self, event: Event) -> None:
        self.write(f"   => {line(event)}")


def _connection(event: Event) -> Any:
    return event["data"].get("connection", {}).get("id")
