"""Remembers the service's tokens, to introspect them at the sandbox after they are gone.

No answer and no command of the service gives a token away. The demo opens the vault itself, as only
it can: database and keys are its own, and are thrown away with it.
"""

from uuid import UUID

import requests

from connections_project.oauth.client import ClientRegistration
from connections_project.sandbox import walk
from connections_project.sandbox.local.api import SurpriseError


class TokenProbe:
    """Takes tokens from the vault and asks the sandbox's introspection (RFC 7662) about them.

    Args:
        registration: The client that the tokens were issued to.
    """

    def __init__(self, sandbox_url: str, registration: ClientRegistration) -> None:
        self.sandbox_url = sandbox_url
        self.registration = registration
        self._tokens: dict[str, str] = {}

    def remember(self, connection_id: str, *, when: str) -> None:
        """Remember a connection's tokens, named by `when`."""
        from providers.models import Connection  # Models need Django to be set up first.

        tokens = Connection.objects.get(pk=UUID(connection_id)).opened()
        self._tokens[f"access token {when}"] = tokens.access_token
        if tokens.refresh_token is not None:
            self._tokens[f"refresh token {when}"] = tokens.refresh_token

    def ask(self) -> dict[str, bool]:
        """Return for each token whether the sandbox still accepts it.

        Raises:
            SurpriseError: The sandbox did not answer, or does not know the client.
        """
        return {name: self._is_alive(token) for name, token in self._tokens.items()}

    def _is_alive(self, token: str) -> bool:
        try:
            answer = walk.introspect(
                self.sandbox_url,
                client_id=self.registration.client_id,
                client_secret=self.registration.client_secret,
                token=token,
            )
        except requests.RequestException as error:
            raise SurpriseError(f"introspection failed ({type(error).__name__})") from None
        return bool(answer["active"])
