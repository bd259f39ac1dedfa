"""What posts a platform takes: how long, with which picture, and with which options.

An adapter declares it once; scheduling, publishing, `/platforms` and the documents read it there.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connections_project.oauth.catalog import Platform
from connections_project.platforms.publishing import (
    InvalidPostError,
    Post,
    PostProblem,
    Published,
    PublishSession,
)

# What the API itself takes of a text.
LONGEST_TEXT = 10_000
# What a picture shows, in words. Where a platform has no place for them they are left out.
ALT_TEXT = "alt_text"
LONGEST_ALT_TEXT = 5000


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a post may say beside its text.

    Args:
        required: Whether there are no posts without it.
        longest: How many characters it may have.
        choices: The values that there are; any, where none is named.
        pattern: What it looks like, as a regular expression for all of it.
        hint: The same, for people.
    """

    required: bool = False
    longest: int = 255
    choices: tuple[str, ...] = ()
    pattern: str = ""
    hint: str = ""

    def problem(self, value: str) -> tuple[str, str] | None:
        """Return what is wrong with a value: a slug, and words for people."""
        if not value.strip():
            return "blank", "This field may not be blank."
        if len(value) > self.longest:
            return "max_length", f"This may have at most {self.longest} characters."
        if self.choices and value not in self.choices:
            return "invalid_choice", f"Give one of {', '.join(self.choices)}."
        if self.pattern and not re.fullmatch(self.pattern, value):
            return "invalid", self.hint or "This is not valid."
        return None

    def described(self) -> dict[str, Any]:
        """Return it as clients are shown it."""
        shown: dict[str, Any] = {"required": self.required, "max_length": self.longest}
        return shown | ({"choices": list(self.choices)} if self.choices else {})


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """How a platform takes a picture.

    Args:
        required: Whether there are no posts without one.
        types: The media types that it takes as bytes; none where it fetches an address by itself.
        largest: Of how many bytes at most.
    """

    required: bool = False
    types: frozenset[str] = frozenset()
    largest: int = 0

    @property
    def is_uploaded(self) -> bool:
        return bool(self.types)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """What can be published at a platform, and how.

    Args:
        publish: Publishes a post. It lets the session's NotActiveError pass.
        text_max: How long a text may be, unless the catalogue has `text_max`.
        text_length: How long a text is, as the platform counts.
        image: How it takes a picture; None where it takes none.
        options: What a post may say beside its text, by name.
        idempotency_seconds: How long the platform keeps `Post.key` and answers a repeated post with
            the first one; 0 where it has no such thing.
        more_seconds: What a picture may take beyond the usual time: it is uploaded, or waited for.
    """

    publish: Callable[[PublishSession, Post], Published]
    text_max: int = LONGEST_TEXT
    text_length: Callable[[str], int] = len
    image: ImageRule | None = None
    options: Mapping[str, Option] = field(default_factory=dict, hash=False)
    idempotency_seconds: int = 0
    more_seconds: float = 0.0

    def longest_text(self, platform: Platform) -> int:
        return min(platform.text_max or self.text_max, LONGEST_TEXT)

    def described(self, platform: Platform) -> dict[str, Any]:
        """Return it as clients are shown it."""
        taken = "required" if self.image and self.image.required else "optional"
        return {
            "text_max": self.longest_text(platform),
            "image": taken if self.image else False,
            "options": {name: option.described() for name, option in self.options.items()},
        }


def require_valid(
    platform: Platform,
    publishing: Publishing,
    *,
    text: str,
    image_url: str | None,
    options: Mapping[str, str],
) -> None:
    """Refuse a post that the platform would refuse.

    Raises:
        InvalidPostError: It names all that is wrong.
    """
    problems = (
        *_text_problems(platform, publishing, text),
        *_image_problems(platform, publishing, image_url),
        *_option_problems(platform, publishing, options),
    )
    if problems:
        raise InvalidPostError(*problems)


def _text_problems(platform: Platform, publishing: Publishing, text: str) -> Iterator[PostProblem]:
    length, longest = publishing.text_length(text), publishing.longest_text(platform)
    if length > longest:
        message = f"{platform.name} takes at most {longest} characters, and counts {length} here."
        yield PostProblem("text", "max_length", message)


def _image_problems(
    platform: Platform, publishing: Publishing, image_url: str | None
) -> Iterator[PostProblem]:
    rule = publishing.image
    if image_url and rule is None:
        message = f"{platform.name} takes no picture here. Leave it out."
        yield PostProblem("image", "image_not_supported", message)
    if not image_url and rule is not None and rule.required:
        yield PostProblem("image", "required", f"{platform.name} has no posts without a picture.")


def _option_problems(
    platform: Platform, publishing: Publishing, options: Mapping[str, str]
) -> Iterator[PostProblem]:
    known = {ALT_TEXT: Option(longest=LONGEST_ALT_TEXT), **publishing.options}
    for name, option in known.items():
        if name not in options:
            if option.required:
                yield PostProblem(f"options.{name}", "required", option.hint or "This is required.")
        elif problem := option.problem(options[name]):
            yield PostProblem(f"options.{name}", *problem)
    for name in options.keys() - known.keys():
        there = ", ".join(publishing.options) or "none"
        message = f"{platform.name} has no such option; there are: {there}."
        yield PostProblem(f"options.{name}", "unknown_option", message)
