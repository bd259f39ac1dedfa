"""The words between the verbs and the plugins: what a grant brought, what is to be published."""

from dataclasses import dataclass, field

from connections_project.oauth.client import Identity, TokenSet


@dataclass(frozen=True)
class Crop:
    """An account that a grant is for.

    Args:
        identity: The account.
        tokens: What it is used with.
        shares_tokens: Whether these are the tokens of the grant itself, and so also of the others.
    """

    identity: Identity
    tokens: TokenSet = field(repr=False)
    shares_tokens: bool = False


@dataclass(frozen=True)
class Harvest:
    """What a grant has brought.

    Args:
        tokens: Those of the grant itself: of whoever gave it.
        granted_by: That user's id at the platform; None where it does not tell.
        accounts: Those that the grant is for.
    """

    tokens: TokenSet = field(repr=False)
    granted_by: str | None
    accounts: tuple[Crop, ...]


@dataclass(frozen=True)
class Post:
    """What is to be published, by which account; `image_url` is passed on, never fetched."""

    account_id: str
    caption: str
    image_url: str | None = None


@dataclass(frozen=True)
class Published:
    """What the platform made of a post; `url` is None where it does not tell."""

    post_id: str
    url: str | None = None


class InvalidPostError(Exception):
    """The platform has no such posts.

    Args:
        field: The field of the call that is to be changed.
        message: How, for people.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class PublishingUnsupportedError(Exception):
    """Nobody has taught the service how to publish there."""
