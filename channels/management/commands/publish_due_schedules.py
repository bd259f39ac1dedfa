"""`manage.py publish_due_schedules`: publish what is due."""

from collections import Counter
from datetime import datetime

from tqdm import tqdm

from audit.events import Interface
from channels.publish import publish_due
from connections_project.core import clock
from connections_project.core.commands.queue import QueueCommand


class Command(QueueCommand):
    help = (
        "Publish the schedules whose time has come. What a busy platform did not take is tried "
        "again later; what it may have taken is not, unless it recognizes a repeated post's key."
    )
    examples = """
examples:
  manage.py publish_due_schedules                    try everything that is due once
  manage.py publish_due_schedules --once --json      the same, for scripts
  manage.py publish_due_schedules --forever          go on until stopped, looking every 5 seconds

It can be stopped at any time by Ctrl-C or SIGTERM: what is just being sent comes to its end, and
what is due stays due. If it is killed, what it was sending ends as outcome_unknown when the lease
does (PUBLISH_LEASE_SECONDS). Any number of them may run beside each other.
"""

    def single_pass(self) -> Counter[str]:
        return self._pass(due_by=clock.now())

    def repeated_pass(self) -> Counter[str]:
        return self._pass(due_by=None)

    def _pass(self, *, due_by: datetime | None) -> Counter[str]:
        done = publish_due(interface=Interface.COMMAND, due_by=due_by)
        # disable=None: a bar on a terminal, none in a pipe.
        return Counter(tqdm(done, desc="Publishing", unit=" posts", disable=None, leave=False))

    def counts(self, outcomes: Counter[str]) -> dict[str, int]:
        return {
            "tried": outcomes.total(),
            "published": outcomes["published"],
            "still_due": outcomes["pending"],
            "failed": outcomes["failed"],
        }
