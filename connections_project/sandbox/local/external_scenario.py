"""Somebody of an organisation comes in by its issuer's token, and no account is made first."""

from dataclasses import dataclass

import requests

from connections_project.sandbox.local.api import SECONDS, SurpriseError
from connections_project.sandbox.local.scenario import connect
from connections_project.sandbox.local.steps import Steps, expect
from connections_project.sandbox.people import PEOPLE

PERSON = PEOPLE["ada"]


@dataclass(kw_only=True)
class ExternalScenario(Steps):
    issuer_url: str

    def run(self) -> None:
        self.step("Sign in at the organisation's issuer; the service is not asked")
        self.api.use_token(external_token(self.issuer_url))
        self.write("   <- *** (an access token of the issuer, for this service)")
        self.step("Come in with it: whoever comes first is made by the call")
        me = self.api.call("GET", "/api/v1/me", expect=200)
        is_theirs = me["issuer"] == self.issuer_url and me["principal_type"] == "user"
        expect(is_theirs, "the token speaks for somebody else")
        connection_id = connect(self.api, step=self.step)["id"]
        self.step("List the connections")
        listed = self.api.call("GET", "/api/v1/providers", expect=200)
        ids = [one["id"] for one in listed["connections"]]
        expect(ids == [connection_id], "the list is not this person's own")
        self.step("Disconnect it")
        self.api.call("DELETE", f"/api/v1/auth/{connection_id}/disconnect", expect=200)


def external_token(issuer_url: str) -> str:
    """Sign in at the sandbox's issuer and return the access token.

    Raises:
        SurpriseError: It did not hand out one.
    """
    credentials = {"username": PERSON.username, "password": PERSON.password}
    try:
        answer = requests.post(f"{issuer_url}/issuer/token", data=credentials, timeout=SECONDS)
        answer.raise_for_status()
        return str(answer.json()["access_token"])
    except (requests.RequestException, KeyError) as error:
        kind = type(error).__name__
        raise SurpriseError(f"the issuer handed out no token ({kind})") from None
