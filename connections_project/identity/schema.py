"""What the OpenAPI document says of Bearer tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class PrincipalScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "connections_project.identity.authentication.PrincipalAuthentication"
    name = "bearer"

    def get_security_definition(self, *_: Any, **__: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
