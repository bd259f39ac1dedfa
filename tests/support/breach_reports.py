"""The report of a breach drill, read by somebody who has the public keys alone."""

import hashlib
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
from django.core.management import call_command
from django.test import Client

from tests.support.process_environment import ROOT


def verified(folder: Path) -> dict[str, Any]:
    """Verify report and export, and return what the report says."""
    report = (folder / "report.jws").read_text("ascii").strip()
    published = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(report)
    assert header["typ"] == "breach-report+jwt"
    claims: dict[str, Any] = jwt.decode(report, published[header["kid"]], algorithms=["EdDSA"])
    export = folder / claims["audit"]["export"]
    assert hashlib.sha256(export.read_bytes()).hexdigest() == claims["audit"]["sha256"]
    keys = StringIO()
    call_command("show_public_keys", "--json", stdout=keys)
    key = json.loads(keys.getvalue())["audit"]["public_key"]
    command = [sys.executable, "audit/verify_export.py", str(export), "--public-key", key]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return claims
