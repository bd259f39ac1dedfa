"""`manage.py platform_table`: what the service can do at each platform."""

from typing import Any

from django.core.management.base import BaseCommand

from connections_project.platforms.capabilities import table
from connections_project.platforms.catalog import catalog


class Command(BaseCommand):
    help = "Print a Markdown table of what can be done at each platform of the catalogue."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(table(catalog().all()))
