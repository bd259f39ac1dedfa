"""Operators' single sign-on, as `ADMIN_OIDC_*` say it."""

from dataclasses import dataclass, field

from connections_project.conf.issuers import LONGEST_ISSUER, is_fetchable


@dataclass(frozen=True)
class SingleSignOn:
    """The provider, our client there, and which groups may do what.

    Args:
        issuer: The `iss` of its ID tokens, exactly.
        groups_claim: The claim that lists a person's groups.
        operators_group: Who is in it looks and acts; empty: nobody.
        auditors_group: Who is in it looks; empty: nobody.
        required_amr: What `amr` must list (RFC 8176); empty: nothing.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups_claim: str
    operators_group: str
    auditors_group: str
    required_amr: str


class IncompleteError(ValueError):
    """A variable is missing or wrong; the text names it."""


def single_sign_on(given: SingleSignOn) -> SingleSignOn | None:
    """Return what is set; None where nothing is.

    Raises:
        IncompleteError: A part of it is missing, or wrong.
    """
    groups = (given.operators_group, given.auditors_group, given.required_amr)
    if not any((given.issuer, given.client_id, given.client_secret, *groups)):
        return None
    _require_whole(given)
    return given


def _require_whole(made: SingleSignOn) -> None:
    # OpenID Connect Core, section 2: neither query nor fragment.
    is_address = is_fetchable(made.issuer) and not {"?", "#"} & set(made.issuer)
    if made.issuer and (not is_address or len(made.issuer) > LONGEST_ISSUER):
        expected = "it must be an address of at most 255 characters: https, or http on loopback"
        raise IncompleteError(f"ADMIN_OIDC_ISSUER is wrong: {expected}")
    groups = made.operators_group or made.auditors_group
    needed = {
        "ADMIN_OIDC_ISSUER": made.issuer,
        "ADMIN_OIDC_CLIENT_ID": made.client_id,
        "ADMIN_OIDC_CLIENT_SECRET": made.client_secret,
        "ADMIN_OIDC_OPERATORS_GROUP or ADMIN_OIDC_AUDITORS_GROUP": groups,
    }
    for name, value in needed.items():
        if not value:
            raise IncompleteError(f"{name} is missing: single sign-on needs it")
