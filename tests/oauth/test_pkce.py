"""Proof Key for Code Exchange."""

import re

from connections_project.oauth.pkce import challenge, new_verifier


def test_the_example_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_each_verifier_is_new_and_has_256_bits() -> None:
    verifiers = {new_verifier() for _ in range(100)}

    assert len(verifiers) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", verifier) for verifier in verifiers)
