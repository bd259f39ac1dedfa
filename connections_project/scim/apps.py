"""The people of an issuer, as its directory tells of them (RFC 7644)."""

from django.apps import AppConfig


class ScimConfig(AppConfig):
    name = "connections_project.scim"
    label = "scim"

    def ready(self) -> None:
        from connections_project.api.error_routing import register
        from connections_project.operations.offboarding import when_forgotten
        from connections_project.scim.errors import ScimErrors
        from connections_project.scim.models import forget_profile

        register("/scim", ScimErrors())
        when_forgotten(forget_profile)
