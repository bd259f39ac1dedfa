"""The `disconnect_*` command of any connection type; each app's own file adds its words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from audit.arguments import person
from connections_project.connections.registry import connection_type
from connections_project.core.commands.base import (
    INTERRUPTED,
    CommandWithExamples,
    counted,
    os_user,
    termination_as_interrupt,
)
from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations import arguments
from connections_project.operations.blast_radius import blast_radius
from connections_project.operations.force import force_disconnect
from connections_project.operations.options import BlastRadius, DisconnectOptions, Result
from connections_project.operations.selectors import Selectors
from connections_project.operations.snapshot import IdSnapshot, take_snapshot
from connections_project.platforms.registry import upstream

EXAMPLES = """
examples:
  manage.py {command} 01890a5d-ac96-774b-bcce-b302099a8057 --reason "asked by phone"
  manage.py {command} --user kim@example.com --reason "account taken over" --dry-run
  manage.py {command} --{option} {slug} --connected-before 2026-01-31 \\
      --reason "breach at the platform" --operator me@example.com --yes --json
{more}
It can be stopped at any time, also by kill -9, and run again: each batch is one transaction, and
what is done is passed over. The workers revoke at the platforms. Without a broker this command
tries for five seconds, and `manage.py run_background` sends the rest.

--json prints one object:
  dry_run, selected (connections that were to be ended), disconnected, passed_over (over already),
  revocations (that are pending), failed [{{id, cause, detail}}], unknown_ids [id],
  blast_radius {{connections, owners, platforms {{slug: number}}, active_schedules,
  grant_siblings, revocations}}; null with --yes, unless --dry-run

Exit code 0: all is done, or there was nothing to do. 1: some failed, or an id is unknown; they are
named. 2: wrong use, or the answer was no.
"""

GO_ON = "What is done is done whole; run it again for the rest."
NOTHING = "Nothing to disconnect: no live connection matches."


@dataclass
class Run:
    """One call of the command: what was asked, and what has come of it so far."""

    selected: int
    unknown: list[UUID]
    dry_run: bool
    radius: BlastRadius | None = None
    result: Result = field(default_factory=Result)
    # What broke it off before its end.
    broken_off: str = ""
    exit_code: int = 1

    @contextmanager
    def noting_its_end(self) -> Iterator[None]:
        """Note what breaks it off: a signal, or a database that is away."""
        try:
            yield
        except KeyboardInterrupt:
            self.broken_off, self.exit_code = f"Stopped. {GO_ON}", INTERRUPTED
        except (OperationalError, InterfaceError) as error:
            self.broken_off = f"The database can't be reached ({type(error).__name__}). {GO_ON}"

    @property
    def complaint(self) -> str:
        """Return what went wrong, in one line; empty if nothing did."""
        failed, unknown = len(self.result.failures), len(self.unknown)
        parts = [self.broken_off] if self.broken_off else []
        parts += [f"{failed} could not be disconnected."] if failed else []
        parts += [f"{unknown} of the ids are unknown."] if unknown else []
        return " ".join(parts)

    def to_json(self) -> str:
        known = {
            "dry_run": self.dry_run,
            "selected": self.selected,
            "disconnected": self.result.disconnected,
            "passed_over": self.result.passed_over,
            "revocations": self.result.revocations,
            "failed": [
                {"id": str(one.connection_id), "cause": one.cause, "detail": one.detail}
                for one in self.result.failures
            ],
            "unknown_ids": [str(one) for one in self.unknown],
            "blast_radius": asdict(self.radius) if self.radius else None,
        }
        return json.dumps(known)


class DisconnectCommand(CommandWithExamples):
    """Ends connections of one app by force."""

    app: ClassVar[str]
    platform_option: ClassVar[str]
    own: ClassVar[str] = "the user's own"

    def add_arguments(self, parser: CommandParser) -> None:
        status = connection_type(self.app).statuses
        arguments.add_selectors(
            parser, platform=self.platform_option, statuses=list(status), own=self.own
        )
        arguments.add_options(parser)

    def handle(self, **given: Any) -> None:
        options = arguments.options_of(given)
        email = given["operator"]
        operator = arguments.operator_with(email, self.app) if email else None
        selectors = self.selectors(given)
        rows = selectors.rows(self.app)
        # What is counted here is what is ended, whatever comes to fit the selectors meanwhile.
        ids = take_snapshot(self.app, rows, erase_tokens=options.erase_tokens)
        over = rows.count() - len(ids) if selectors.ids else 0
        run = Run(len(ids), selectors.unknown_ids(self.app), given["dry_run"])
        run.result = Result(passed_over=over)
        if given["dry_run"] or not given["yes"]:
            run.radius = blast_radius(
                self.app, rows, revoke=options.revoke, erase_tokens=options.erase_tokens
            )
        if ids and not given["dry_run"]:
            if not given["yes"]:
                question = (
                    f"{_in_words(run.radius)}\nDisconnect {counted(run.selected, 'connection')}?"
                )
                self.require_yes(question, aside=given["json"])
            self.force(run, ids, options, operator, given["batch_size"])
        self.report(run, as_json=given["json"])
        if run.complaint:
            raise CommandError(run.complaint, returncode=run.exit_code)

    def selectors(self, given: dict[str, Any]) -> Selectors:
        found = Selectors(
            ids=list(dict.fromkeys(given["ids"])),
            user=person(given["user"]) if given["user"] else None,
            platform=given["platform"],
            status=given["status"],
            connected_before=given["connected_before"],
            everything=given["everything"],
        )
        if not found.are_given:
            message = f"Say which: ID, --user, --{self.platform_option}, --status, "
            raise CommandError(f"{message}--connected-before or --all.", returncode=2)
        self.refuse_a_slip(found.platform)
        return found

    def refuse_a_slip(self, slug: str | None) -> None:
        """Refuse a slug that names nothing: "nothing to do" would be a false all-clear.

        A platform that has left the catalogue is one as long as a connection bears its name.
        """
        if slug is None:
            return
        found = upstream(slug)
        model = connection_type(self.app).model
        used = model._default_manager.filter(**{model.platform_column: slug})
        if (found is None or found.platform.app != self.app) and not used.exists():
            message = f"Neither the catalogue nor any connection knows {slug!r} here."
            raise CommandError(message, returncode=2)

    def force(
        self,
        run: Run,
        ids: IdSnapshot,
        options: DisconnectOptions,
        operator: User | None,
        batch_size: int,
    ) -> None:
        """End what was selected, and note what has come of it, however far it gets."""
        # disable=None: a bar on a terminal, none in a pipe.
        bar = tqdm(total=len(ids), desc="Disconnecting", unit="", disable=None, leave=False)

        def note(batch: Result) -> None:
            run.result += batch
            bar.update(batch.processed)

        with run.noting_its_end(), bar, termination_as_interrupt():
            force_disconnect(
                self.app,
                ids,
                options,
                origin=command_origin(operator),
                details={"os_user": os_user()},
                batch_size=batch_size,
                on_batch=note,
            )

    def report(self, run: Run, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(run.to_json())
            return
        self.stdout.write(_in_words(run.radius) if run.dry_run else _outcome(run))
        for failure in run.result.failures:
            self.note(f"FAILED {failure.connection_id}: {failure.detail}")
        for unknown in run.unknown:
            self.note(f"UNKNOWN {unknown}")


def _in_words(radius: BlastRadius | None) -> str:
    """Return what would be touched, a line each."""
    if radius is None or not radius.connections:
        return NOTHING
    platforms = ", ".join(f"{slug} {count}" for slug, count in radius.platforms.items())
    return "\n".join(
        [
            f"{counted(radius.connections, 'connection')} would be ended:",
            f"  platforms           {platforms}",
            f"  owners              {radius.owners}",
            f"  active schedules    {radius.active_schedules}",
            f"  siblings that stay  {radius.grant_siblings} on the same grants",
            f"  revocations         {radius.revocations} to be sent to the platforms",
        ]
    )


def _outcome(run: Run) -> str:
    result = run.result
    if not run.selected and not result.passed_over:
        return NOTHING
    parts = [f"{counted(result.disconnected, 'connection')} disconnected"]
    parts += [f"{result.passed_over} over already"] if result.passed_over else []
    parts += (
        [f"{counted(result.revocations, 'revocation')} under way"] if result.revocations else []
    )
    text = f"{', '.join(parts)}."
    if result.revocations and not settings.CELERY_BROKER_URL:
        text += " What is still due, `manage.py run_background` sends."
    return text
