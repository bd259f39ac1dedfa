"""`manage.py run_revocations`: retry what the platforms have not been told yet."""

import json
import time
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections
from tqdm import tqdm

from audit.events import Interface
from connections_project.housekeeping import keep_house
from connections_project.revocation.drain import drain

EPILOG = """Examples:
  manage.py run_revocations                    try everything that is due once
  manage.py run_revocations --forever          go on until stopped, looking every 5 seconds
  manage.py run_revocations --once --json      for scripts
"""


class Command(BaseCommand):
    help = (
        "Tell the platforms to forget the tokens of disconnected accounts, where an earlier try "
        "failed. Connections that a crash left pending are marked as failed too. " + EPILOG
    )

    def add_arguments(self, parser: CommandParser) -> None:
        how_long = parser.add_mutually_exclusive_group()
        how_long.add_argument("--once", action="store_true", help="one pass (the default)")
        how_long.add_argument("--forever", action="store_true", help="pass after pass")
        parser.add_argument("--interval", type=float, default=5.0, help="seconds between passes")
        parser.add_argument("--json", action="store_true", help="print figures as JSON")

    def handle(self, *_: Any, forever: bool, interval: float, **options: Any) -> None:
        if not forever:
            self.report(self.work_off(), as_json=options["json"])
        try:
            while forever:
                self.one_of_many(as_json=options["json"])
                time.sleep(interval)
        except KeyboardInterrupt:
            self.stderr.write("Stopped; what is due stays due.")

    def one_of_many(self, *, as_json: bool) -> None:
        """Make one pass of many; a database that is away for a while does not end the command."""
        try:
            close_old_connections()
            figures = self.work_off()
        except OperationalError as error:
            self.stderr.write(f"The database can't be reached ({type(error).__name__}); trying on.")
        else:
            if figures.total():
                self.report(figures, as_json=as_json)

    def work_off(self) -> Counter[str]:
        keep_house()
        done = drain(interface=Interface.COMMAND)
        # disable=None: a bar on a terminal, none in a pipe.
        return Counter(tqdm(done, desc="Revoking", unit=" jobs", disable=None, leave=False))

    def report(self, figures: Counter[str], *, as_json: bool) -> None:
        counts = {
            "tried": figures.total(),
            "revoked": figures["revoked"],
            "still_due": figures["pending"],
            "abandoned": figures["abandoned"],
            "shared_grant": figures["shared_grant"],
        }
        if as_json:
            self.stdout.write(json.dumps(counts))
        else:
            text = ", ".join(
                f"{number} {name.replace('_', ' ')}" for name, number in counts.items()
            )
            self.stdout.write(f"{text}.")
