"""What the OpenAPI document says of Bearer tokens and of teams' API keys."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class PrincipalScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "connections_project.identity.authentication.PrincipalAuthentication"
    name = "bearer"

    def get_security_definition(self, *_: Any, **__: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class TeamScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "connections_project.identity.team_authentication.TeamAuthentication"
    # "bearer" is described above.
    name = ["apiKey", "teamId"]

    def get_security_requirement(self, *_: Any, **__: Any) -> list[dict[str, list[str]]]:
        return [{"bearer": []}, {"apiKey": [], "teamId": []}]

    def get_security_definition(self, *_: Any, **__: Any) -> list[dict[str, str]]:
        return [
            {"type": "apiKey", "in": "header", "name": "x-api-key"},
            {"type": "apiKey", "in": "header", "name": "x-team-id"},
        ]
