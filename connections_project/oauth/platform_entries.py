"""One platform as the catalogue describes it, in the words of RFC 8414 and RFC 7009."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

ACCOUNT_FIELDS = {
    "id": "id",
    "name": "name",
    "type": "type",
    "balance": "balance",
    "currency": "currency",
    # What {account_id} stands for in addresses, where that isn't the id.
    "path_id": "",
}
BALANCE_FIELDS = {"balance": "balance", "currency": ""}
TRANSACTION_FIELDS = {
    "id": "id",
    "posted_at": "posted_at",
    "amount": "amount",
    "currency": "currency",
    "description": "description",
}
GRANTED_ACCOUNT_FIELDS = {"id": "id", "name": "name", "token": ""}


@dataclass(frozen=True)
class Revocation:
    """How a platform takes a token back, and how one sees that it did.

    Args:
        success_status: HTTP statuses that mean it did.
        dead_token: Further answers that mean that the token was dead already.
        verify: How a revoked token is probed: "identity", "introspection" or "none".
    """

    kind: str = "rfc7009"
    endpoint: str = ""
    tokens: tuple[str, ...] = ("refresh_token", "access_token")
    client_auth: bool = True
    success_status: tuple[int, ...] = (200,)
    blast_radius: str = "token"
    dead_token: "tuple[DeadGrantMatcher, ...]" = ()
    verify: str = "none"
    introspection_endpoint: str = ""

    def ends(self, token: str) -> bool:
        """Whether a revocation is to end a token of this kind: it is sent, or the grant is ended.

        An access token may outlive the refresh token that was sent alone (RFC 7009, section 2.1).
        """
        return token in self.tokens or self.blast_radius != "token"


@dataclass(frozen=True)
class DeadGrantMatcher:
    """An answer that means the grant is dead: everything that is given must match.

    Args:
        error: One of its error codes.
        text: A part of its body; blanks between the tokens of JSON don't count.
        becomes: What the connection is then; "unchanged" says that the grant lives on.
        at: Where the answer came from: "token" is the token endpoint, "api" any other.
        json: What stands at these dotted paths of its JSON.
    """

    status: int | None = None
    error: str | None = None
    text: str | None = None
    becomes: str = "expired"
    at: str | None = None
    json: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Platform:
    """A platform's entry. Each field has the catalogue's own name and default."""

    app: str
    slug: str
    name: str
    status: str = "active"
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    issuer: str = ""
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - a method, RFC 8414.
    client_id_parameter: str = "client_id"
    code_challenge_method: str = "S256"
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    extra_authorization_params: Mapping[str, str] = field(default_factory=dict, hash=False)
    refresh: str = "rotating"
    grant_lifetime_days: int = 0
    identity_endpoint: str = ""
    account_id_field: str = "sub"
    account_name_field: str = "name"
    account_picture_field: str = ""
    accounts_endpoint: str = ""
    accounts_field: str = "accounts"
    account_fields: Mapping[str, str] = field(
        default_factory=lambda: dict(ACCOUNT_FIELDS), hash=False
    )
    balance_endpoint: str = ""
    balance_fields: Mapping[str, str] = field(
        default_factory=lambda: dict(BALANCE_FIELDS), hash=False
    )
    transactions_endpoint: str = ""
    transactions_field: str = "transactions"
    transaction_fields: Mapping[str, str] = field(
        default_factory=lambda: dict(TRANSACTION_FIELDS), hash=False
    )
    # Values of a transaction that never moved any money, by dotted path.
    transaction_excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    transactions_newest_first: bool = False
    # Of an account that doesn't tell its own (ISO 4217, or a coin's sign).
    currency: str = ""
    minor_units: bool = False
    paging: str = "none"
    paging_field: str = ""
    paging_parameter: str = ""
    page_size: int = 0
    granted_accounts_endpoint: str = ""
    granted_accounts_field: str = "accounts"
    granted_account_fields: Mapping[str, str] = field(
        default_factory=lambda: dict(GRANTED_ACCOUNT_FIELDS), hash=False
    )
    dead_grant: tuple[DeadGrantMatcher, ...] = (DeadGrantMatcher(error="invalid_grant"),)
    # Error codes that mean "later" though the status says that the request was wrong.
    passing_errors: tuple[str, ...] = ()
    token_identifier_algs: tuple[str, ...] = ()
    # How the platform reports that a user took a grant back: a file in webhooks/senders.
    deauthorization: str = ""
    risc_configuration_endpoint: str = ""
    help_url: str = ""
    adapter: str = ""
    api_base: str = ""
    fallback_api_base: str = ""
    user_agent: str = ""
    extra_headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    introspection_endpoint: str = ""
    # When the entry was last compared with the platform's documents, and what of it runs out when.
    checked_on: date | None = None
    ends_on: Mapping[str, date] = field(default_factory=dict, hash=False)
    # What of a token answer is kept beside the tokens, sealed with them: dotted paths by name.
    kept_token_fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    # The version of its API that adapters ask for.
    api_version: str = ""
    # How long a text may be; 0: as the adapter says.
    text_max: int = 0
    # Why nothing is published here, for people.
    no_publishing: str = ""
    revocation: Revocation | None = None

    @property
    def introspects_at(self) -> str:
        """Where tokens are introspected (RFC 7662); empty where that isn't known."""
        of_revocation = self.revocation.introspection_endpoint if self.revocation else ""
        return of_revocation or self.introspection_endpoint

    @property
    def request_headers(self) -> dict[str, str]:
        """What each request to the platform bears beside its own headers."""
        agent = {"User-Agent": self.user_agent} if self.user_agent else {}
        return {**agent, **self.extra_headers}
