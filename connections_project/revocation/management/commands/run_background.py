"""`manage.py run_background`: all that workers would do, in one process."""

import math
from collections import Counter
from typing import Any

from django.conf import settings
from tqdm import tqdm

from audit.events import Interface
from connections_project.core import probe_server
from connections_project.core.background_log import write_in_background
from connections_project.core.commands.queue import QueueCommand
from connections_project.core.jobs.worker import PASS_SECONDS
from connections_project.core.open_files import allow_open_files_of_worker
from connections_project.core.periodic import (
    PeriodicRunner,
    most_threads,
    run_due,
    stopping,
)
from connections_project.revocation.worker import GIVEN_UP, process_revocations, run_worker


class Command(QueueCommand):
    help = (
        "Do all that is due in the background: tokens of disconnected accounts are revoked at the "
        "platforms where an earlier try failed, schedules are published, events are delivered, "
        "connections that a crash left pending are marked as failed. The counts are those of the "
        "revocations. Its other name is run_revocations."
    )
    examples = """
examples:
  manage.py run_background                    try everything that is due once
  manage.py run_background --once --json      the same, for scripts
  manage.py run_background --forever          go on until stopped, looking every 5 seconds

It can be stopped at any time by Ctrl-C or SIGTERM: what is due stays due, and what is just being
tried is due again when its lease ends (REVOCATION_LEASE_SECONDS). Any number of them may run beside
each other.
"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.periodic = PeriodicRunner()

    def single_pass(self) -> Counter[str]:
        run_due(besides=[process_revocations])
        # Who asks for one pass wants to see all tried that is due.
        return self.revoke(heed_circuits=False, seconds=math.inf)

    def handle(self, *args: Any, forever: bool, **options: Any) -> None:
        allow_open_files_of_worker(most_threads(), log_format=settings.LOG_FORMAT)
        if forever:
            write_in_background()
            probe_server.start()
        super().handle(*args, forever=forever, **options)

    def stop(self) -> None:
        # What is under way in other threads comes to its end, and takes nothing more.
        stopping.set()
        self.periodic.wait()

    def repeated_pass(self) -> Counter[str]:
        self.periodic.run_due(besides=[process_revocations])
        # Other tasks wait for its end; what has a thread of its own doesn't.
        with self.periodic.starting_due():
            return self.revoke(heed_circuits=True, seconds=PASS_SECONDS)

    def revoke(self, *, heed_circuits: bool, seconds: float) -> Counter[str]:
        done = run_worker(interface=Interface.COMMAND, heed_circuits=heed_circuits, seconds=seconds)
        # disable=None: a bar on a terminal, none in a pipe.
        return Counter(tqdm(done, desc="Revoking", unit=" jobs", disable=None, leave=False))

    def counts(self, outcomes: Counter[str]) -> dict[str, int]:
        return {
            "tried": outcomes.total() - outcomes[GIVEN_UP],
            "revoked": outcomes["revoked"],
            "still_due": outcomes["pending"],
            "abandoned": outcomes["abandoned"] + outcomes[GIVEN_UP],
            "shared_grant": outcomes["shared_grant"],
        }
