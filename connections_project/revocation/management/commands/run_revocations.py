"""`manage.py run_revocations`: retry pending revocations."""

from collections import Counter
from typing import Any

from tqdm import tqdm

from audit.events import Interface
from connections_project.core.commands.queue import QueueCommand
from connections_project.core.periodic import PeriodicRunner, run_due
from connections_project.revocation.worker import process_due, run_worker


class Command(QueueCommand):
    help = (
        "Revoke the tokens of disconnected accounts at the platforms, where an earlier try "
        "failed. What else workers would do is done too: connections that a crash left pending are "
        "marked as failed, schedules that are due are published."
    )
    examples = """
examples:
  manage.py run_revocations                    try everything that is due once
  manage.py run_revocations --once --json      the same, for scripts
  manage.py run_revocations --forever          go on until stopped, looking every 5 seconds

It can be stopped at any time by Ctrl-C or SIGTERM: what is due stays due, and what is just being
tried is due again when its lease ends (REVOCATION_LEASE_SECONDS). Any number of them may run beside
each other.
"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.housekeeper = PeriodicRunner()

    def single_pass(self) -> Counter[str]:
        run_due(besides=[process_due])
        # Who asks for one pass wants to see all tried that is due.
        return self.process_due(heed_circuits=False)

    def repeated_pass(self) -> Counter[str]:
        self.housekeeper.run_due(besides=[process_due])
        return self.process_due(heed_circuits=True)

    def process_due(self, *, heed_circuits: bool) -> Counter[str]:
        done = run_worker(interface=Interface.COMMAND, heed_circuits=heed_circuits)
        # disable=None: a bar on a terminal, none in a pipe.
        return Counter(tqdm(done, desc="Revoking", unit=" jobs", disable=None, leave=False))

    def counts(self, outcomes: Counter[str]) -> dict[str, int]:
        return {
            "tried": outcomes.total(),
            "revoked": outcomes["revoked"],
            "still_due": outcomes["pending"],
            "abandoned": outcomes["abandoned"],
            "shared_grant": outcomes["shared_grant"],
        }
