import sys

from django.apps import AppConfig

from connections_project.oauth.catalog import CatalogError
from connections_project.platforms.catalog import catalog


class PlatformsConfig(AppConfig):
    name = "connections_project.platforms"
    label = "platforms"

    def ready(self) -> None:
        from connections_project.platforms import checks  # noqa: F401

        try:
            catalog()
        except CatalogError as error:
            # A traceback would hide the one line that says what to correct.
            sys.exit(f"Configuration: {error}")
