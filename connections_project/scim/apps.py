"""The people of an issuer, as its directory tells of them (RFC 7644)."""

from django.apps import AppConfig
from django.conf import settings


class ScimConfig(AppConfig):
    name = "connections_project.scim"
    label = "scim"

    def ready(self) -> None:
        from connections_project.api.error_routing import register
        from connections_project.core.web_start import web_process_starts
        from connections_project.operations.offboarding import when_forgotten
        from connections_project.scim.errors import ScimErrors
        from connections_project.scim.models import forget_profile
        from connections_project.scim.routes import import_routes

        register("/scim", ScimErrors())
        when_forgotten(forget_profile)
        if settings.IDENTITY.issuers:
            web_process_starts.connect(import_routes)
