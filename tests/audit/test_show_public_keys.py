"""`manage.py show_public_keys`: what verifies a signature, never what makes one."""

import base64
import hashlib
import json
from io import StringIO
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

# RFC 8037, appendix A.1 to A.3: a seed, and the thumbprint of its public half.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def output_of(*arguments: str) -> str:
    output = StringIO()
    call_command("show_public_keys", *arguments, stdout=output)
    return output.getvalue()


def test_the_keys_bear_the_names_of_the_rfc(settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = SEED
    key = json.loads(output_of("--json"))["audit"]
    assert key["kid"] == THUMBPRINT
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    assert base64.b64decode(key["public_key"]) == public


def test_the_seeds_stay_where_they_are(settings: Any) -> None:
    text = output_of() + output_of("--json")
    for seed in (settings.AUDIT_SIGNING_KEY, settings.RECEIPT_SIGNING_KEY):
        assert base64.b64encode(seed).decode() not in text
        assert hashlib.sha256(seed).hexdigest() not in text
    assert output_of().startswith("audit: ")
