"""What the scenarios of the demo share: numbered steps, expectations, commands, consent."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import StringIO

from django.core.management import call_command

from connections_project.sandbox.local.api import Api, SurpriseError, consent

PERSON = "ada"


@dataclass(kw_only=True)
class Steps:
    """Runs one step after the other, and raises SurpriseError at the first that goes wrong."""

    api: Api
    write: Callable[[str], None]
    steps: int = 0

    def step(self, title: str) -> None:
        self.steps += 1
        self.write(f"\n{self.steps}. {title}")

    def run(self) -> None:
        raise NotImplementedError

    def allow(self, authorization_url: str, *, state: str) -> dict[str, str]:
        """Consent, and return what the browser brings back."""
        self.step(f"Consent: {PERSON} signs in there and presses Allow")
        brought_back = consent(authorization_url, person=PERSON)
        expect(brought_back.get("state") == state, "another state came back")
        return brought_back

    def command(self, name: str, *arguments: str) -> str:
        """Run a command of manage.py, and return what it prints."""
        self.write(f"   -> manage.py {' '.join([name, *arguments])}")
        out = StringIO()
        call_command(name, *arguments, stdout=out, stderr=StringIO())
        return out.getvalue().strip()

    def expect_trail(self, connection_id: str, actions: Iterable[str]) -> None:
        """Show a connection's audit trail, in which these actions are expected."""
        trail = self.command("show_audit_trail", connection_id)
        for line in trail.splitlines():
            self.write(f"      {line}")
        missing = [action for action in actions if f" {action} " not in trail]
        expect(not missing, f"the audit trail lacks {', '.join(missing)}")


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise SurpriseError(otherwise)
