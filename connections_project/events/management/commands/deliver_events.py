"""`manage.py deliver_events`: deliver what is due, and nothing else."""

from collections import Counter

from connections_project.core import clock
from connections_project.core.commands.queue import QueueCommand
from connections_project.events.models import DeliveryState
from connections_project.events.worker import deliver


class Command(QueueCommand):
    help = "Deliver the events that are due; run_background does so too, beside all else."
    examples = """
examples:
  manage.py deliver_events                     try everything that is due once
  manage.py deliver_events --once --json       the same, for scripts
  manage.py deliver_events --forever           go on until stopped

Any number of them may run beside each other, and beside workers.
"""

    def single_pass(self) -> Counter[str]:
        return Counter(deliver(due_by=clock.now()))

    def repeated_pass(self) -> Counter[str]:
        return Counter(deliver())

    def counts(self, outcomes: Counter[str]) -> dict[str, int]:
        return {
            "tried": outcomes.total(),
            "delivered": outcomes[DeliveryState.DELIVERED],
            "still_due": outcomes[DeliveryState.PENDING],
            "given_up": outcomes[DeliveryState.GIVEN_UP],
        }
