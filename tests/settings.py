"""The service's own settings under test, on whatever DATABASE_URL and REDIS_URL name.

Keys are made afresh, a developer's .env is left alone, and passwords are hashed fast.
"""

import atexit
import base64
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

os.environ["ENV_FILE"] = os.devnull
os.environ.setdefault("DEBUG", "false")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("CREDENTIAL_KEYS", Fernet.generate_key().decode())
for _name in ("AUDIT_SIGNING_KEY", "RECEIPT_SIGNING_KEY"):
    os.environ.setdefault(_name, base64.b64encode(secrets.token_bytes(32)).decode())
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
# The second factor's own tests turn it on.
os.environ.setdefault("ADMIN_TOTP_REQUIRED", "false")
os.environ.setdefault("PUBLIC_URL", "https://localhost:8000")
# More than there are threads in any test, each of which keeps a connection to its end.
os.environ.setdefault("DATABASE_POOL_SIZE", "64")
# What tests write lies in a folder of the first process, which outlives its workers and what they
# start.
if "TESTS_FOLDER" not in os.environ:
    # In memory where there is such a folder: SQLite waits for the disk with each commit.
    _memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    os.environ["TESTS_FOLDER"] = tempfile.mkdtemp(prefix="connections-tests-", dir=_memory)
    atexit.register(shutil.rmtree, os.environ["TESTS_FOLDER"], ignore_errors=True)
os.environ.setdefault("AUDIT_HEADS_FILE", f"{os.environ['TESTS_FOLDER']}/audit-heads.jsonl")
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
if _worker and os.environ.get("REDIS_URL"):
    # Tests empty the cache: each worker needs a database of its own, as pytest-django gives it one.
    _redis = urlsplit(os.environ["REDIS_URL"])
    _number = int(_redis.path.strip("/") or 0) + _worker
    os.environ["REDIS_URL"] = _redis._replace(path=f"/{_number}").geturl()

if os.environ.get("REDIS_URL"):
    # Each worker's own too: what alerts fire on is a share of all requests between two scrapes.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = f"{os.environ['TESTS_FOLDER']}/metrics-{_worker}"

from connections_project.settings import *  # noqa: E402, F403
from connections_project.settings import DATABASES, INSTALLED_APPS  # noqa: E402

# Jobs run inline on both stacks, but in tests that start a worker of their own.
CELERY_BROKER_URL = ""
# So many requests at once as no test makes; what may wait for platforms has tests of its own.
WEB_THREADS = 256
# Pages come straight from the packages, whatever somebody has collected. Whitenoise looks through
# the whole folder at each start, so nothing else may lie there.
STATIC_ROOT = Path(os.environ["TESTS_FOLDER"]) / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
# Each client of a test is a start, at which Whitenoise would read the heads of all files there are.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Threads need a file: connections to a shared in-memory database don't wait for each other.
    _file = Path(os.environ["TESTS_FOLDER"]) / f"{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": str(_file)}
else:
    # Nobody else's, so that two runs, or what one left behind, don't come into each other's way.
    DATABASES["default"]["TEST"] = {"NAME": f"test_connections_{os.getpid()}"}
# A queue of the tests' own, whose table is made without migrations.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs"]
