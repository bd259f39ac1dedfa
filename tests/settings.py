"""The service's own settings under test, on whatever DATABASE_URL and REDIS_URL name.

Keys are made afresh, a developer's .env is left alone, and passwords are hashed fast.
"""

import base64
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

os.environ["ENV_FILE"] = os.devnull
os.environ.setdefault("DEBUG", "false")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("CREDENTIAL_KEYS", Fernet.generate_key().decode())
for _name in ("AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY"):
    os.environ.setdefault(_name, base64.b64encode(secrets.token_bytes(32)).decode())
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
os.environ.setdefault("PUBLIC_URL", "https://localhost:8000")

from connections_project.settings import *  # noqa: E402, F403
from connections_project.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Threads need a file: connections to a shared in-memory database don't wait for each other.
    _folder = Path(tempfile.gettempdir()) / f"connections-tests-{os.getpid()}"
    _folder.mkdir(exist_ok=True)
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
