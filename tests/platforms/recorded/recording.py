"""What is recorded of a platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.platform_server import Answer, Request

RecordedAnswer = Answer | Callable[[Request], Answer]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A platform's answers, and what the service is to make of them.

    Args:
        slug: The platform's, in the catalogue.
        tokens: What its token endpoint answers to a code; values that end in "-N" are numbered.
        routes: What its API answers, by method and path.
        account_id: Whose grant it is.
        account_name: What that is called.
        accounts: The accounts that a sync is to store, as `(name, type, currency, balance)`.
        transactions: The transactions, as `(posted_at, amount, currency, description)`, by time.
        dead: What the token endpoint answers where the grant is dead, and what is then to be.
        dead_token: What the API answers to a token that is dead, and what is then to be.
        api_headers: What each request to the API is to bear.
        pages: How many requests the longest list takes, and to which path.
        granted_by: The user who gave the grant, where that isn't the account.
        lasting: What a token is exchanged for, where the one of a code lives for an hour.
        refreshes_at: Method and path that renew tokens, where that isn't the token endpoint.
        renewed: What is sent there to be renewed.
        revokes_at: Method and path that revoke, where the catalogue doesn't say so.
        revoked: What is answered to a revocation.
        revokes: The tokens that are sent to be revoked, in their order.
        revoked_already: What is answered where the token was dead already.
        unrevoked: What is answered where nothing was revoked.
        passing: What its own rate limits and passing faults look like.
        introspected_dead: What introspection answers of a dead token.
    """

    slug: str
    tokens: Mapping[str, Any]
    routes: Mapping[tuple[str, str], RecordedAnswer]
    account_id: str
    account_name: str = ""
    accounts: tuple[tuple[str, str, str, str], ...] = ()
    transactions: tuple[tuple[str, str, str, str], ...] = ()
    dead: tuple[tuple[Answer, str], ...] = ()
    dead_token: tuple[tuple[Answer, str], ...] = ()
    api_headers: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[str, int] | None = None
    granted_by: str = ""
    lasting: Mapping[str, Any] = field(default_factory=dict)
    refreshes_at: tuple[str, str] | None = None
    renewed: str = "refresh-1"
    revokes_at: tuple[str, str] | None = None
    revoked: Answer = field(default_factory=Answer)
    revokes: tuple[str, ...] = ()
    revoked_already: tuple[Answer, ...] = ()
    unrevoked: tuple[Answer, ...] = ()
    passing: tuple[Answer, ...] = ()
    introspected_dead: Answer | None = None


def by_query(name: str, answers: Mapping[str | None, Any]) -> Callable[[Request], Answer]:
    """Answer by a parameter; one that the platform does not know is refused."""

    def answer(request: Request) -> Answer:
        value = request.query.get(name)
        if value not in answers:
            return Answer(400, json={"error": f"bad {name}"})
        return Answer(json=answers[value])

    return answer
