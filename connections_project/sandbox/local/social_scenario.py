"""A team's program connects two pages with an API key, publishes, ends one, and has it back."""

from dataclasses import dataclass
from typing import Any

from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.steps import Steps, expect

SOCIAL = "/api/v1/plugin/social-media-publisher/social"
SCOPES = "social:read,social:write,social:publish"
EXPECTED_TRAIL = (
    "account_connected",
    "account_published",
    "account_disconnected",
    "token_revocation_skipped",
)


@dataclass(kw_only=True)
class SocialScenario(Steps):
    def run(self) -> None:
        self.make_a_key()
        first, second = self.connect()
        self.publish(first)
        self.end(first)
        self.show_that_the_other_lives(second)
        self.have_it_back(first)
        self.show_the_trail(first)

    def make_a_key(self) -> None:
        from connections_project.identity.models import User  # Models need Django to be set up.

        self.step("Make an API key for the team")
        team_id = str(User.objects.get(email=USER.email).own_team.pk)
        key = self.command("create_api_key", team_id, "--scopes", SCOPES)
        self.write("   <- *** (a program keeps it; from here on it calls, and nobody is signed in)")
        self.api.use_key(key, team_id=team_id)

    def connect(self, *names: str) -> list[str]:
        """Complete the flow, and return the ids of the accounts that have fresh access."""
        self.step(f"Start connecting pages{', naming the one to have back' if names else ''}")
        wanted = {"platform": "sandbox_pages", "accountIds": list(names)}
        started = self.api.call("POST", f"{SOCIAL}/connect", body=wanted, expect=201)
        brought_back = self.allow(started["authorizationUrl"], state=started["state"])
        self.step("Complete it: one consent is for both pages")
        answer = self.api.call("POST", f"{SOCIAL}/callback", query=brought_back, expect=201)
        expect(answer["connectedCount"] == 2, "the consent was not for two pages")
        return [account["id"] for account in answer["accounts"]]

    def publish(self, account_id: str) -> None:
        self.step("Publish on the first")
        answer = self._publish(account_id, "Doors open at eight.", expect=200)
        self.step("Publish it again by mistake, under the same key: there is one post")
        again = self._publish(account_id, "Doors open at eight.", expect=200)
        expect(answer == again, "it was published twice")

    def end(self, account_id: str) -> None:
        self.step("Disconnect the first")
        body = {"accountId": account_id}
        answer = self.api.call("POST", f"{SOCIAL}/disconnect", body=body, expect=200)
        expect(answer["success"] is True, "it was not disconnected")
        self.step("Try to publish on it: its tokens are kept, and never used")
        refused = self._publish(account_id, "This must not go out.", expect=403)
        expect(refused["error"] == "Account inactive", "it was refused for another reason")

    def show_that_the_other_lives(self, account_id: str) -> None:
        self.step("Publish on the other: the same consent, and it lives on")
        self._publish(account_id, "Doors open at nine.", expect=200)

    def have_it_back(self, account_id: str) -> None:
        back = self.connect(account_id)
        expect(account_id in back, "another record came back than the one that was named")
        self.step("List the accounts: the same records, both active")
        query = {"active": "true"}
        listed = self.api.call("GET", f"{SOCIAL}/accounts", query=query, expect=200)["accounts"]
        expect({one["id"] for one in listed} == set(back), "it is another record, or not active")

    def show_the_trail(self, account_id: str) -> None:
        self.step("Read the audit trail of the first")
        self.expect_trail(account_id, EXPECTED_TRAIL)

    def _publish(self, account_id: str, caption: str, *, expect: int) -> Any:
        body = {"accountId": account_id, "caption": caption}
        headers = {"Idempotency-Key": caption}
        path = f"{SOCIAL}/publish"
        return self.api.call("POST", path, body=body, headers=headers, expect=expect)
