"""Starts of the service, each with an environment of its own."""

import base64
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "connections_project" / "settings.py"

# A profile for production, with nothing but what it must name.
PRODUCTION = {
    "SECRET_KEY": "f4Kq-7hVw2Zr9Lm3Xc6Tb1Yn8Pj5Sd0Gu-eAoQiRkNtUyHs-W8xBzC",
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "AUDIT_SIGNING_KEY": base64.b64encode(bytes(range(32))).decode(),
    "RECEIPT_SIGNING_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
    "ALLOWED_HOSTS": "connections.example.com",
    "PUBLIC_URL": "https://connections.example.com",
    "ENV_FILE": os.devnull,
}


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Redis is named, the settings make a folder among the temporary ones."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def load(**changed: str | None) -> dict[str, Any]:
    """Run the settings module by itself and give its names; None takes a variable away."""
    variables = {name: value for name, value in (PRODUCTION | changed).items() if value is not None}
    with mock.patch.dict(os.environ, variables, clear=True):
        return runpy.run_path(str(SETTINGS))


def refusal(**changed: str | None) -> str:
    """Return the words with which the settings end the process."""
    with pytest.raises(SystemExit) as ended:
        load(**changed)
    # Python writes a text to stderr and exits with 1; a number would be an exit without words.
    assert isinstance(ended.value.code, str)
    return ended.value.code


def manage(*arguments: str, **changed: str | None) -> "subprocess.CompletedProcess[str]":
    """Run manage.py in a process of its own."""
    return start("manage.py", *arguments, **changed)


def start(*arguments: str, **changed: str | None) -> "subprocess.CompletedProcess[str]":
    """Run Python with these arguments in a process of its own."""
    variables = {name: value for name, value in (PRODUCTION | changed).items() if value is not None}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=30, check=False
    )
