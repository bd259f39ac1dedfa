"""What is wrong with a signed statement, in words."""

from typing import Any

from cryptography.exceptions import InvalidSignature

from audit import statements
from audit.statements import UnknownKeyError
from connections_project.core.signing import Keys


def signature_problem(signed: dict[str, Any], keys: Keys) -> str:
    """Return what is wrong with a signature, to follow a subject; empty if it is good."""
    try:
        statements.verify(signed, keys)
    except UnknownKeyError:
        return f"is signed with key {signed.get('kid')}, which is not among the known ones"
    except InvalidSignature:
        return "has a wrong signature"
    return ""
