"""Commands that work off a queue, in one pass or in pass after pass until they are stopped."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from connections_project.core.commands.arguments import seconds
from connections_project.core.commands.base import (
    INTERRUPTED,
    CommandWithExamples,
    termination_as_interrupt,
)


class QueueCommand(CommandWithExamples):
    """A command with `--once`, `--forever`, `--interval` and `--json`."""

    def single_pass(self) -> Counter[str]:
        """Process what is due once, and return how many had which outcome."""
        raise NotImplementedError

    def repeated_pass(self) -> Counter[str]:
        """Process once of many times; by default as `single_pass`."""
        return self.single_pass()

    def stop(self) -> None:
        """End what still runs beside the passes, as the command does."""

    def counts(self, outcomes: Counter[str]) -> Mapping[str, int]:
        """Return the counts to report, by what people call them."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        how_long = parser.add_mutually_exclusive_group()
        how_long.add_argument("--once", action="store_true", help="one pass (the default)")
        how_long.add_argument("--forever", action="store_true", help="pass after pass")
        parser.add_argument(
            "--interval", type=seconds, default=5.0, metavar="SECONDS", help="between passes"
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *_: Any, forever: bool, interval: float, **options: Any) -> None:
        try:
            with termination_as_interrupt():
                if not forever:
                    # Else each part of the pass would wait for a database that is away.
                    connection.ensure_connection()
                    self.report(self.single_pass(), as_json=options["json"])
                while forever:
                    self.one_of_many(as_json=options["json"])
                    time.sleep(interval)
        except KeyboardInterrupt:
            stopped = "Stopped; what is due stays due."
            if not forever:
                raise CommandError(stopped, returncode=INTERRUPTED) from None
            self.stop()
            self.stderr.write(stopped)

    def one_of_many(self, *, as_json: bool) -> None:
        """Process once of many times; a database that is away doesn't end the command."""
        try:
            close_old_connections()
            outcomes = self.repeated_pass()
        except (OperationalError, InterfaceError) as error:
            self.stderr.write(f"The database can't be reached ({type(error).__name__}); trying on.")
        else:
            if outcomes.total():
                self.report(outcomes, as_json=as_json)

    def report(self, outcomes: Counter[str], *, as_json: bool) -> None:
        counts = self.counts(outcomes)
        if as_json:
            self.stdout.write(json.dumps(counts))
        else:
            text = ", ".join(
                f"{number} {name.replace('_', ' ')}" for name, number in counts.items()
            )
            self.stdout.write(f"{text}.")
        # In a pipe or a file nothing would be seen before the buffer is full.
        self.stdout.flush()
