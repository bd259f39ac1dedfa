"""What management commands share."""

import getpass
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, transaction

from connections_project.core.commands.output import Escaped
from connections_project.core.database import broken_rule, is_away, is_lost_race
from connections_project.core.text import InvalidReasonError, has_bytes, reason_of

# The shell's own code for a command that Ctrl-C has ended.
INTERRUPTED = 130
OVERTAKEN = (
    "Somebody else was doing this at the same moment ({}). What was committed stays; run it again."
)


def given_reason(text: str, *, least: int = 1) -> str:
    """Read the option --reason; see `reason_of`.

    Raises:
        CommandError: It is none (exit code 2).
    """
    try:
        return reason_of(text, least=least)
    except InvalidReasonError as error:
        raise CommandError(f"--reason: {error}", returncode=2) from None


class _HelpFormatter(DjangoHelpFormatter):
    """Django's order of options; what is written in lines, as examples are, stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class EscapedCommand(BaseCommand):
    """A command of ours: its output is escaped, and what it is given can be stored."""

    # The exit code where nothing could be done, or looked at; 2 for a command whose 1 is a finding.
    unable: ClassVar[int] = 1
    # Django sets these when a command is made, and once more when it is executed.
    stdout = Escaped()
    stderr = Escaped()

    def run_from_argv(self, argv: list[str]) -> None:
        """Do it from a command line; where nothing can be written to standard error, what failed is
        said on standard output, unless that is begun, and the exit code stays."""
        try:
            super().run_from_argv(argv)
        except OSError as error:
            failed = error.__context__
            if error is not self.stderr.failure or not isinstance(failed, CommandError):
                raise
            with suppress(OSError):
                if not self.stdout.is_begun:
                    self.stdout.write(f"{type(failed).__name__}: {failed}")
                    self.stdout.flush()
            self.stderr.give_up()
            sys.exit(failed.returncode)
        except Exception as error:
            if self.unable == 1:
                raise
            sys.excepthook(type(error), error, error.__traceback__)
            sys.exit(self.unable)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Do it, unless a shell has handed down bytes that are no text.

        Raises:
            CommandError: It has (exit code 2), or what is written can't be, or the database is
                away, or had to break off one of two that did the same.
        """
        for name, value in options.items():
            if isinstance(value, str) and not has_bytes(value):
                raise CommandError(f"{name}: this is not UTF-8", returncode=2)
        try:
            with self._written("What was committed stays."):
                return super().execute(*args, **options)
        except DatabaseError as error:
            if is_lost_race(error):
                said = OVERTAKEN.format(broken_rule(error))
            elif is_away(error):
                said = f"{_away(error)} What was committed stays; run it again."
            else:
                raise
            raise CommandError(said, returncode=self.unable) from None

    def require_yes(
        self, question: str, *, aside: bool, refusal: str = "Nothing was done."
    ) -> None:
        """Ask for a confirmation on standard input, whose end means no.

        Args:
            aside: Ask on standard error, so that standard output holds nothing but the result.
            refusal: What is said where the answer is no.

        Raises:
            CommandError: It is (exit code 2).
        """
        out = self.stderr if aside else self.stdout
        out.write(f"{question} [y/N] ", _plain, ending="")
        out.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError(refusal, returncode=2)

    def note(self, line: str) -> None:
        """Write a line to standard error, in the terminal's own colour."""
        self.stderr.write(line, _plain)

    @contextmanager
    def shown_or_undone(self) -> Iterator[None]:
        """Commit what is done here only once what is written here has been handed on.

        For secrets that are shown once: what nobody was shown must not exist, nor end what was
        there before. What goes to standard error beside a secret is written first.

        Raises:
            CommandError: It can't be written.
        """
        with self._written("Nothing was made or changed; run it again."), transaction.atomic():
            yield
            self.stdout.flush()

    @contextmanager
    def _written(self, outcome: str) -> Iterator[None]:
        try:
            yield
            self.stdout.flush()
        except OSError as error:
            if error is self.stdout.failure:
                self.stdout.give_up()
            elif error is not self.stderr.failure:
                raise
            said = f"The output can't be written ({error.strerror}). {outcome}"
            raise CommandError(said, returncode=self.unable) from None


def _plain(line: str) -> str:
    return line


class CommandWithExamples(EscapedCommand):
    """A command of ours whose `--help` ends with `examples`, line by line as they stand there."""

    examples: ClassVar[str] = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": self.examples, "formatter_class": _HelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)


class ResultCommand(CommandWithExamples):
    """A command whose result is one line of text, or with `--json` one JSON object."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def report(self, text: str, result: Mapping[str, Any], *, as_json: bool) -> None:
        self.stdout.write(json.dumps(result) if as_json else text)


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM, so that it ends the command as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set signal handlers, and only it is interrupted.
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def interruptible(words: str) -> Iterator[None]:
    """End the command with these words, and no traceback, when Ctrl-C or SIGTERM comes.

    Raises:
        CommandError: It came.
    """
    try:
        with termination_as_interrupt():
            yield
    except KeyboardInterrupt:
        raise CommandError(words, returncode=INTERRUPTED) from None


@contextmanager
def resumable(go_on: str) -> Iterator[None]:
    """End the command in one line where a signal comes or the database is away.

    Args:
        go_on: What is left, and how to go on.

    Raises:
        CommandError: It is broken off.
    """
    try:
        with interruptible(f"Stopped. {go_on}"):
            yield
    except (OperationalError, InterfaceError) as error:
        raise CommandError(f"{_away(error)} {go_on}") from None


def _away(error: Exception) -> str:
    return f"The database can't be reached ({type(error).__name__})."


def counted(number: int, noun: str) -> str:
    """Write a number of things; the noun's plural ends with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def os_user() -> str:
    """Name the user of the operating system, for the details of what a command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container a process may run under a number that has no name.
        return str(os.getuid())
