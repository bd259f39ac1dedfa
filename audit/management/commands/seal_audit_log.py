"""`manage.py seal_audit_log`: seal all that is committed."""

from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from audit import checkpoints
from audit.models import Seal
from audit.readable import UnreadableEventError
from audit.seal import seal_all
from connections_project.core.commands.base import ResultCommand, counted, interruptible

NO_CHECKPOINTS = (
    "AUDIT_HEADS_FILE does not have these seals, or knows others: the error above says why, and "
    "what to do. Then run this again, which makes up for what is missing."
)


class Command(ResultCommand):
    unable = 2
    help = (
        "Seal every event of the audit log that is committed: digests, chained, signed with "
        "AUDIT_SIGNING_KEY, the seals appended to AUDIT_HEADS_FILE. The workers do so by "
        "themselves every 30 seconds. It can be stopped at any time, and run beside others."
    )
    examples = """
examples:
  manage.py seal_audit_log
  manage.py seal_audit_log --json | jq -r .head

Exit code 0: all is sealed. 1: AUDIT_HEADS_FILE disagrees, or can't be written, or a row can't be
read. 2: wrong use, or the database is away.
"""

    def handle(self, *, json: bool, **_: Any) -> None:
        events = seals = 0
        unreadable: UnreadableEventError | None = None
        # disable=None: a bar on a terminal, none in a pipe.
        bar = tqdm(desc="Sealing", unit=" events", disable=None, leave=False)
        with bar, interruptible("Stopped. What is sealed stays so; run it again for the rest."):
            try:
                for seal in seal_all():
                    events, seals = events + seal.size, seals + 1
                    bar.update(seal.size)
            except UnreadableEventError as error:
                unreadable = error
        last = Seal.objects.order_by("-number").first()
        done = {
            "sealed_events": events,
            "seals": seals,
            "last_seal": last and last.number,
            "head": last and last.head,
        }
        self.report(_in_words(events, seals, last), done, as_json=json)
        if not checkpoints.publish():
            raise CommandError(f"{NO_CHECKPOINTS} {unreadable or ''}".strip())
        if unreadable:
            raise unreadable


def _in_words(events: int, seals: int, last: Seal | None) -> str:
    if last is None:
        return "The audit log has nothing to seal."
    done = f"Sealed {counted(events, 'event')} in {counted(seals, 'seal')}."
    return f"{done} The last seal is {last.number}: {last.head}"
