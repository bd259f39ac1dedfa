"""Somebody of an organisation comes in by its issuer's token, and no account is made first."""

from collections.abc import Callable

import requests

from connections_project.sandbox.local.api import SECONDS, Api, SurpriseError
from connections_project.sandbox.local.scenario import connect
from connections_project.sandbox.people import PEOPLE

PERSON = PEOPLE["ada"]


class ExternalScenario:
    """Runs one step after the other, and raises SurpriseError at the first that goes wrong."""

    def __init__(
        self, api: Api, issuer_url: str, *, write: Callable[[str], None], steps: int
    ) -> None:
        self.api = api
        self.issuer_url = issuer_url
        self.write = write
        self.steps = steps

    def run(self) -> None:
        self.step("Sign in at the organisation's issuer; the service is not asked")
        self.api.use_token(external_token(self.issuer_url))
        self.write("   <- *** (an access token of the issuer, for this service)")
        self.step("Come in with it: whoever comes first is made by the call")
        me = self.api.call("GET", "/api/v1/me", expect=200)
        if me["issuer"] != self.issuer_url or me["principal_type"] != "user":
            raise SurpriseError("the token speaks for somebody else")
        connection_id = connect(self.api, step=self.step)["id"]
        self.step("List the connections")
        listed = self.api.call("GET", "/api/v1/providers", expect=200)
        if [one["id"] for one in listed["connections"]] != [connection_id]:
            raise SurpriseError("the list is not this person's own")
        self.step("Disconnect it")
        self.api.call("DELETE", f"/api/v1/auth/{connection_id}/disconnect", expect=200)

    def step(self, title: str) -> None:
        self.steps += 1
        self.write(f"\n{self.steps}. {title}")


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
