"""What is sent to platforms, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from connections_project.oauth.body_text import charset_of, decoded, legible
from connections_project.oauth.errors import ErrorCode, PlatformError
from connections_project.oauth.json_text import MOST_ANSWERED_VALUES, load_json
from connections_project.oauth.waiting import seconds_asked_for


@dataclass(frozen=True)
class Answer:
    """A platform's answer; the body is as it was before content coding.

    Args:
        passing_errors: Error codes of this platform that mean "later", whatever the status says.
        sent: What was sent to a token endpoint as parameters, and so may come back as an echo.
    """

    platform: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    passing_errors: tuple[str, ...] = ()
    sent: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def text(self) -> str:
        return legible(self.body, charset_of(self._content_type))

    @property
    def media_type(self) -> str:
        """What it is said to be, in lower case and without parameters."""
        return self._content_type.partition(";")[0].strip().lower()

    @property
    def _content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    def json(self) -> Any:
        """Parse the body; fractions become Decimal, since they may be money.

        Raises:
            PlatformError: `malformed`, also where its encoding could only be guessed.
        """
        return self._parse(decoded)

    def legible_json(self) -> Any:
        """Parse the body as `json` does, and where its encoding isn't known, for what is ASCII in
        it: error codes and tokens, but no names."""
        return self._parse(legible)

    def _parse(self, read: Callable[[bytes, str], str]) -> Any:
        try:
            # NaN and the infinities are no JSON (RFC 8259, section 6): read as "no value".
            text = read(self.body, charset_of(self._content_type))
            return load_json(
                text.encode("utf-8", "surrogatepass"),
                most=MOST_ANSWERED_VALUES,
                parse_float=Decimal,
                parse_constant=lambda _: None,
                object_pairs_hook=_members,
            )
        except (ValueError, ArithmeticError, RecursionError):
            # ArithmeticError: a number such as 1e99999999999999999999, beyond any Decimal.
            failure = self.error("malformed")
        # Outside of the except block: the parser's error holds the whole body.
        raise failure

    def error(self, code: ErrorCode) -> PlatformError:
        """Return this answer as an error, with the seconds that it asks to be left alone."""
        retry_after = seconds_asked_for(self.headers, status=self.status)
        return PlatformError(
            code, platform=self.platform, status=self.status, retry_after=retry_after
        )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members; of those of one name the last that isn't empty (RFC 8259,
    section 4, leaves it open): `"refresh_token": ""` at the end doesn't take back a token."""
    members = dict(pairs)
    if len(members) < len(pairs):
        members |= {name: value for name, value in pairs if value not in (None, "", {}, [])}
    return members


class File(NamedTuple):
    """A file in a form (RFC 7578)."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Request:
    """A call to make.

    Its body is a form, with files in it or without, or JSON, or bytes as they are: of these there
    is one at most.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    files: Mapping[str, File] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def parameters(self) -> frozenset[str]:
        """What it sends as parameters of its address, its form or its JSON, without their names."""
        query = dict(parse_qsl(urlsplit(self.url).query))
        values = chain.from_iterable(one.values() for one in (query, self.form, self.json) if one)
        return frozenset(map(str, values))
