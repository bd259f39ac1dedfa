"""A channel that still has something to publish is not torn down by accident; its past is kept."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import requests
from django.core.management import call_command

from connections_project.sandbox.local.api import SurpriseError
from connections_project.sandbox.local.people import PUBLISHER
from connections_project.sandbox.local.steps import PERSON, Steps, expect

CHANNELS = "/api/v1/channels"
CONNECTIONS = f"{CHANNELS}/connections"
SCHEDULES = "/api/v1/schedules"
TEXT = "Doors open at eight."
SECONDS = 10.0


@dataclass(kw_only=True)
class ChannelScenario(Steps):
    sandbox_url: str

    def run(self) -> None:
        self.step("Sign in as somebody who publishes")
        self.api.sign_in(PUBLISHER.email, PUBLISHER.password)
        channel_id = self.connect()
        self.schedule_three(channel_id)
        published_id = self.schedule_one_for_now(channel_id)
        self.be_kept_from_disconnecting(channel_id)
        self.cancel(channel_id)
        self.publish(published_id)
        self.disconnect(channel_id)
        again_id = self.connect()
        self.show_the_past(channel_id, again_id, published_id)

    def connect(self) -> str:
        self.step("Start connecting a channel")
        started = self.api.call(
            "POST", f"{CHANNELS}/connect", body={"channel": "sandbox_social"}, expect=200
        )
        brought_back = self.allow(started["authorization_url"], state=started["state"])
        self.step("Complete the connection with what the browser brought back")
        made = self.api.call("POST", f"{CHANNELS}/callback", query=brought_back, expect=201)
        expect(made["status"] == "connected", "the channel is not connected")
        return str(made["id"])

    def schedule_three(self, channel_id: str) -> None:
        self.step("Schedule three posts for tomorrow")
        for number in range(1, 4):
            self._schedule(channel_id, f"Rehearsal {number}", timedelta(days=1))

    def schedule_one_for_now(self, channel_id: str) -> str:
        self.step("Schedule one for the next second")
        return self._schedule(channel_id, TEXT, timedelta(seconds=1))

    def _schedule(self, channel_id: str, content: str, wait: timedelta) -> str:
        # Times are whole seconds: the next but one is surely to come.
        run_at = datetime.now(UTC) + wait + timedelta(seconds=1)
        wanted = {
            "channel_connection_id": channel_id,
            "content": content,
            "run_at": f"{run_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        return str(self.api.call("POST", SCHEDULES, body=wanted, expect=201)["id"])

    def be_kept_from_disconnecting(self, channel_id: str) -> None:
        self.step("Try to disconnect")
        refused = self.api.call("DELETE", f"{CONNECTIONS}/{channel_id}", expect=400)["errors"][0]
        self.write(f"      {refused['error_description']}")
        expect(refused["meta"]["active_schedules_count"] == 4, "the guard counts otherwise")

    def cancel(self, channel_id: str) -> None:
        self.step("Cancel the three")
        query = {"channel_connection_id": channel_id, "status": "pending"}
        listed = self.api.call("GET", SCHEDULES, query=query, expect=200)["data"]
        body = {"schedule_ids": [one["id"] for one in listed if one["content"] != TEXT]}
        answer = self.api.call("POST", f"{SCHEDULES}/bulk-cancel", body=body, expect=200)
        expect(answer["cancelled"] == 3, "they were not all cancelled")

    def publish(self, schedule_id: str) -> None:
        self.step("Have published what is due, and read it there as everybody can")
        self.write("   -> manage.py publish_due_schedules")
        deadline = time.monotonic() + SECONDS
        output = ""
        while "1 published" not in output and time.monotonic() < deadline:
            out = StringIO()
            call_command("publish_due_schedules", stdout=out)
            output = out.getvalue().strip()
            time.sleep(0.1)
        self.write(f"   <- {output}")
        found = self.api.call("GET", f"{SCHEDULES}/{schedule_id}", expect=200)
        expect(found["status"] == "published", "it was not published")
        expect([post["content"] for post in self._posts()] == [TEXT], "something else was posted")

    def _posts(self) -> list[dict[str, str]]:
        path = f"/api/v1/accounts/{PERSON}/statuses"
        self.write(f"   -> GET {self.sandbox_url}{path}")
        try:
            response = requests.get(f"{self.sandbox_url}{path}", timeout=SECONDS)
            posts: list[dict[str, str]] = response.json()
        except requests.RequestException as error:
            raise SurpriseError(f"reading the posts failed ({type(error).__name__})") from None
        for post in posts:
            self.write(f"   <- {post['created_at']} {post['content']}")
        return posts

    def disconnect(self, channel_id: str) -> None:
        self.step("Disconnect")
        ended = self.api.call("DELETE", f"{CONNECTIONS}/{channel_id}", expect=200)
        expect(ended["status"] == "disconnected", "it is still connected")

    def show_the_past(self, channel_id: str, again_id: str, published_id: str) -> None:
        self.step("List the connections: a new record, and the old one as it was")
        listed = self.api.call("GET", CONNECTIONS, expect=200)["data"]
        statuses = {one["id"]: one["status"] for one in listed}
        expected = {again_id: "connected", channel_id: "disconnected"}
        expect(statuses == expected, "the old record did not stay beside the new one")
        self.step("Look at what was published through the old one")
        path = f"{CONNECTIONS}/{channel_id}/publish-events"
        events = self.api.call("GET", path, expect=200)["data"]
        expect([one["schedule_id"] for one in events] == [published_id], "its past is not whole")
        self.show_the_trail(channel_id)

    def show_the_trail(self, channel_id: str) -> None:
        self.step("Read the audit trail of the old one")
        expected = ("CHANNEL_CONNECTED", "SCHEDULES_CANCELLED", "CHANNEL_DISCONNECTED")
        self.expect_trail(channel_id, expected)
