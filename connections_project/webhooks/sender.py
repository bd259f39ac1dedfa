"""The protocol of senders: how their notices are read, and at which addresses they come in.

A sender is a file in `senders/` with a value named `sender`. There is no list to add one to.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest

from connections_project.api.problems import ProblemRenderer
from connections_project.webhooks import senders
from connections_project.webhooks.errors import WebhookErrors
from connections_project.webhooks.notices import Notice


@dataclass(frozen=True, kw_only=True)
class WebhookSender:
    """A protocol by which platforms report that a grant is over.

    Args:
        read: Verifies a notice and reads it; it raises RefusedNoticeError or KeysUnavailableError.
        deauthorize_path: Below /api/v1/webhooks/, for notices that a grant is over.
        erase_path: The same, for requests to erase a person's data; empty where there are none.
        accepted_status: The HTTP status that takes a notice; but for 200 the answer has no body.
        challenge: Answers a GET by which the platform makes sure that the address is ours; it may
            raise RefusedNoticeError.
    """

    read: Callable[[HttpRequest], Notice]
    deauthorize_path: str
    erase_path: str = ""
    accepted_status: int = 200
    challenge: Callable[[HttpRequest], dict[str, str]] | None = None
    errors: ProblemRenderer = field(default_factory=WebhookErrors)

    @property
    def actions(self) -> dict[str, dict[str, str]]:
        """Return the actions of the view set, by their paths and methods."""
        challenge = {"get": "challenge"} if self.challenge else {}
        actions = {self.deauthorize_path: {"post": "deauthorize", **challenge}}
        return actions | ({self.erase_path: {"post": "erase"}} if self.erase_path else {})


def webhook_senders() -> list[WebhookSender]:
    """Return all senders, in the order of their names."""
    names = [one.name for one in pkgutil.iter_modules(senders.__path__)]
    return [importlib.import_module(f"{senders.__name__}.{name}").sender for name in names]
