"""`manage.py platform_table`: what the service can do at each platform."""

from typing import Any

from connections_project.core.commands.base import CommandWithExamples
from connections_project.platforms.capabilities import table
from connections_project.platforms.catalog import catalog


class Command(CommandWithExamples):
    help = "Print a Markdown table of what can be done at each platform of the catalogue."
    examples = """
examples:
  manage.py platform_table > platforms.md
"""

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(table(catalog().all()))
