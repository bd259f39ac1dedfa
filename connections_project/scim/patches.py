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
    operations = body.get("Operations")
    if isinstance(operations, list) and len(operations) > MOST_OPERATIONS:
        raise InvalidValueException(detail=f"There may be at most {MOST_OPERATIONS} operations.")
    return parsed(
        lambda: UserPatch.model_validate(
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
        )
    )


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
