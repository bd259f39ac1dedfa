"""What management commands share."""

import argparse
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter


class _HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of options, and the examples as they are written."""


class CommandWithExamples(BaseCommand):
    """A command whose `--help` ends with `examples`, line by line as they stand there."""

    examples: ClassVar[str] = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": self.examples, "formatter_class": _HelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)
