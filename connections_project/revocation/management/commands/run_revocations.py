"""`manage.py run_revocations`: retry what the platforms have not been told yet."""

import argparse
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import InterfaceError, OperationalError, close_old_connections
from tqdm import tqdm

from audit.events import Interface
from connections_project.housekeeping import Housekeeper, keep_house
from connections_project.revocation.drain import drain, work_off

EXAMPLES = """
examples:
  manage.py run_revocations                    try everything that is due once
  manage.py run_revocations --once --json      the same, for scripts
  manage.py run_revocations --forever          go on until stopped, looking every 5 seconds

It can be stopped at any time by Ctrl-C or SIGTERM: what is due stays due, and what is just being
tried is due again when its lease ends (REVOCATION_LEASE_SECONDS). Any number of them may run beside
each other.
"""
# The shell's own code for a command that Ctrl-C has ended.
INTERRUPTED = 130


class _HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of options, and the examples as they are written."""


class Command(BaseCommand):
    help = (
        "Tell the platforms to forget the tokens of disconnected accounts, where an earlier try "
        "failed. Connections that a crash left pending are marked as failed too."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.housekeeper = Housekeeper()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": EXAMPLES, "formatter_class": _HelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        how_long = parser.add_mutually_exclusive_group()
        how_long.add_argument("--once", action="store_true", help="one pass (the default)")
        how_long.add_argument("--forever", action="store_true", help="pass after pass")
        parser.add_argument(
            "--interval", type=_seconds, default=5.0, metavar="SECONDS", help="between passes"
        )
        parser.add_argument("--json", action="store_true", help="print figures as JSON")

    def handle(self, *_: Any, forever: bool, interval: float, **options: Any) -> None:
        try:
            with _termination_as_interrupt():
                if not forever:
                    keep_house(besides=[work_off])
                    # Who asks for one pass wants to see all tried that is due.
                    self.report(self.work_off(heed_circuits=False), as_json=options["json"])
                while forever:
                    self.one_of_many(as_json=options["json"])
                    time.sleep(interval)
        except KeyboardInterrupt:
            stopped = "Stopped; what is due stays due."
            if not forever:
                raise CommandError(stopped, returncode=INTERRUPTED) from None
            self.stderr.write(stopped)

    def one_of_many(self, *, as_json: bool) -> None:
        """Make one pass of many; a database that is away for a while does not end the command."""
        try:
            close_old_connections()
            self.housekeeper.keep_house(besides=[work_off])
            figures = self.work_off(heed_circuits=True)
        except (OperationalError, InterfaceError) as error:
            self.stderr.write(f"The database can't be reached ({type(error).__name__}); trying on.")
        else:
            if figures.total():
                self.report(figures, as_json=as_json)

    def work_off(self, *, heed_circuits: bool) -> Counter[str]:
        done = drain(interface=Interface.COMMAND, heed_circuits=heed_circuits)
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
        # In a pipe or a file nothing would be seen before the buffer is full.
        self.stdout.flush()


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise ValueError(text)
    return seconds


# argparse names the type in its message.
_seconds.__name__ = "number of seconds"


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, by which services are stopped, end the command as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set signal handlers, and only it is interrupted.
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
