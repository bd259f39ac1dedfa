"""What a PATCH does to a resource (RFC 7644, section 3.5.2)."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from scim2_models import Context, Error, InvalidValueException, PatchOp, SCIMException

from connections_project.scim.resources import MOST_EMAILS
from connections_project.scim.schemas import POLICY, SentUser, UserPatch

Parsed = TypeVar("Parsed")
# Directories send a few; each takes as long as the resource is large.
MOST_OPERATIONS = 100
# Each term of a filter in a path, as in emails[type eq "work"], is compared with each e-mail.
MOST_FILTERS, LONGEST_PATH = 20, 128


def parsed(parse: Callable[[], Parsed]) -> Parsed:
    """Read what came.

    Raises:
        SCIMException: It is not as RFC 7643 says; the first error's words.
    """
    try:
        return parse()
    except ValidationError as error:
        raise SCIMException.from_error(Error.from_validation_errors(error)[0]) from None


def patch_of(body: dict[str, Any]) -> PatchOp[SentUser]:
    """Read the operations.

    Raises:
        SCIMException: They are not as RFC 7644 says, or too many.
    """
    _require_bounds(_operations(body))
    return parsed(
        lambda: UserPatch.model_validate(
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
        )
    )


def _named(name: str, given: Any) -> list[Any]:
    """Return the members of that name, which may come in any case (RFC 7643, section 2.1)."""
    members = given.items() if isinstance(given, dict) else ()
    return [value for key, value in members if key.lower() == name]


def _operations(body: dict[str, Any]) -> list[Any]:
    lists = [each for each in _named("operations", body) if isinstance(each, list)]
    return [operation for each in lists for operation in each]


def is_filtered(body: dict[str, Any]) -> bool:
    """Whether values are to be found by filters, which takes long."""
    return any("[" in path for operation in _operations(body) for path in _paths(operation))


def _paths(operation: Any) -> list[str]:
    # Entra ID has paths as the names of values, too.
    names = [
        name for value in _named("value", operation) if isinstance(value, dict) for name in value
    ]
    return [path for path in _named("path", operation) if isinstance(path, str)] + names


def _require_bounds(operations: list[Any]) -> None:
    if len(operations) > MOST_OPERATIONS:
        raise InvalidValueException(detail=f"There may be at most {MOST_OPERATIONS} operations.")
    paths = [path for one in operations for path in _paths(one)]
    if sum("[" in path for path in paths) > MOST_FILTERS:
        raise InvalidValueException(detail=f"At most {MOST_FILTERS} paths may have a filter.")
    if any(len(path) > LONGEST_PATH for path in paths):
        raise InvalidValueException(detail=f"A path may have at most {LONGEST_PATH} characters.")


def patched(known: SentUser, patch: PatchOp[SentUser]) -> SentUser:
    """Return a resource as the operations leave it, which is done to a copy or not at all.

    Raises:
        SCIMException: An operation can't be done.
    """
    for operation in patch.operations or []:
        one = patch.model_copy(update={"operations": [operation]})
        try:
            one.patch(known, scim_policy=POLICY)
        except InvalidValueException as error:
            raise _in_words(error) from None
        if len(known.emails or []) > MOST_EMAILS:
            raise InvalidValueException(detail=f"There may be at most {MOST_EMAILS} emails.")
    return known


def _in_words(error: InvalidValueException) -> SCIMException:
    """Return a refusal in the words of a POST's, where it quotes those of the validation."""
    if isinstance(error.__cause__, ValidationError):
        return SCIMException.from_error(Error.from_validation_errors(error.__cause__)[0])
    return error
