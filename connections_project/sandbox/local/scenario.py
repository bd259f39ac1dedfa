"""The whole scenario over HTTPS: connect, use, disconnect, and see that it is over everywhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from connections_project.sandbox.local.api import Api, consent
from connections_project.sandbox.local.people import USER
from connections_project.sandbox.local.steps import PERSON, Steps, expect
from connections_project.sandbox.local.token_probe import TokenProbe

ALIAS = "Ada's bank"
EXPECTED_TRAIL = (
    "provider_connected",
    "provider_data_synced",
    "provider_token_refreshed",
    "provider_disconnected",
    "token_revoked",
    "provider_deleted",
)


@dataclass(kw_only=True)
class Scenario(Steps):
    probe: TokenProbe

    def run(self) -> None:
        self.step("Sign in")
        self.api.sign_in(USER.email, USER.password)
        connection_id = connect(self.api, step=self.step)["id"]
        self.probe.remember(connection_id, when="of the consent")
        self.use(connection_id)
        self.refresh(connection_id)
        self.end(connection_id)
        self.show_the_tokens_are_dead()
        self.show_the_trail(connection_id)
        self.show_the_receipt(connection_id)
        self.show_the_log_is_sealed()

    def use(self, connection_id: str) -> None:
        self.step("List the connections")
        listed = self.api.call("GET", "/api/v1/providers", expect=200)
        expect(listed["active_count"] == 1, "the new connection is not listed as active")
        self.step("Fetch accounts and transactions from the bank")
        tally = self.api.call(
            "POST", "/api/v1/accounts/syncs", body={"connection_id": connection_id}, expect=201
        )
        expect(tally["created"] > 0 and not tally["errors"], "the sync brought no accounts")
        self.step("Look at them")
        query = {"connection_id": connection_id}
        accounts = self.api.call("GET", "/api/v1/accounts", query=query, expect=200)["data"]
        path = f"/api/v1/accounts/{accounts[0]['id']}/transactions"
        found = self.api.call("GET", path, query={"limit": "3"}, expect=200)
        expect(bool(found["data"]), "the account has no transactions")

    def refresh(self, connection_id: str) -> None:
        self.step("Refresh the tokens")
        path = f"/api/v1/providers/{connection_id}/token-refreshes"
        answer = self.api.call("POST", path, body={"force": True}, expect=201)
        expect(answer["message"] == "Token refreshed", "the tokens were not refreshed")
        self.probe.remember(connection_id, when="of the refresh")
        self.step("Ask the bank about the tokens from before and after")
        alive = self.asked()
        expect(alive["access token of the refresh"], "the bank does not know the new access token")
        expect(alive["refresh token of the refresh"], "the bank does not know the refresh token")

    def end(self, connection_id: str) -> None:
        provider = f"/api/v1/providers/{connection_id}"
        self.step("Disconnect")
        self.api.call("DELETE", f"/api/v1/auth/{connection_id}/disconnect", expect=200)
        self.step("Look at its status")
        status = self.api.call("GET", provider, expect=200)
        expect(status["is_connected"] is False, "it is still connected")
        self.step("Delete it from sight")
        self.api.call("DELETE", provider, expect=204)
        self.step("Look for it once more")
        self.api.call("GET", provider, expect=404)

    def show_the_tokens_are_dead(self) -> None:
        self.step("Ask the bank about all of them again")
        expect(not any(self.asked().values()), "a token outlived the disconnect")

    def show_the_trail(self, connection_id: str) -> None:
        self.step("Read the audit trail")
        self.expect_trail(connection_id, EXPECTED_TRAIL)

    def show_the_receipt(self, connection_id: str) -> None:
        self.step("Get a signed receipt, and verify it with the published key")
        receipt = self.api.call("GET", f"/api/v1/receipts/{connection_id}", expect=200)["receipt"]
        published = jwt.PyJWKSet.from_dict(
            self.api.call("GET", "/.well-known/jwks.json", expect=200)
        )
        key = published[jwt.get_unverified_header(receipt)["kid"]]
        claims = jwt.decode(receipt, key, algorithms=["EdDSA"])
        self.write(f"   <- it says: {json.dumps(claims)}")
        expect(claims["revocation"]["state"] == "revoked", "the receipt has no revocation")
        verified = claims["revocation"].get("verification") == "verified_dead"
        expect(verified, "the service has not seen that the tokens are dead")

    def show_the_log_is_sealed(self) -> None:
        self.step("Seal the audit log, and verify it")
        for command in ("seal_audit_log", "verify_audit_log"):
            self.write(f"      {self.command(command)}")

    def asked(self) -> dict[str, bool]:
        alive = self.probe.ask()
        for name, is_alive in alive.items():
            self.write(f"   <- {name}: {'alive' if is_alive else 'dead'}")
        return alive


def connect(api: Api, *, step: Callable[[str], None]) -> dict[str, Any]:
    """Connect the sandbox for who is signed in, and give the connection.

    Raises:
        SurpriseError: Something went otherwise than the contract says.
    """
    step("Start connecting")
    wanted = {"provider_slug": "sandbox", "alias": ALIAS}
    started = api.call("POST", "/api/v1/providers", body=wanted, expect=201)
    step(f"Consent: {PERSON} signs in at the bank and presses Allow")
    brought_back = consent(started["authorization_url"], person=PERSON)
    # A front end compares them, so that nobody plants a foreign answer (RFC 6749, section 10.12).
    expect(brought_back.get("state") == started["state"], "the bank sent another state back")
    step("Complete the connection with what the browser brought back")
    made = api.call("POST", "/api/v1/providers/callback", query=brought_back, expect=201)
    expect(made["status"] == "active", "the connection is not active")
    connection: dict[str, Any] = made
    return connection
