"""Write down the release that pyproject.toml names, with its migrations and rows of its making.

python -m tests.upgrade.record

Part of making a release (CONTRIBUTING.md, "Make a release"). It works on a SQLite file of its own.
"""

import base64
import os
import tempfile
import tomllib
from pathlib import Path

import django

from tests.upgrade.keys import AUDIT_SEED, CREDENTIAL_KEY


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("REDIS_URL", None)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"sqlite:///{folder}/release.sqlite3",
            "CREDENTIAL_KEYS": CREDENTIAL_KEY,
            "AUDIT_SIGNING_KEY": base64.b64encode(AUDIT_SEED).decode(),
        }
        django.setup()
        _record()


def _record() -> None:
    # All of these need Django to be set up.
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    from tests.upgrade.release import ROOT, Release, as_text, is_ours, migration_files
    from tests.upgrade.rows import make_rows

    call_command("migrate", verbosity=0)
    api_key = make_rows()
    ours = [model for app in apps.get_app_configs() if is_ours(app) for model in app.get_models()]
    release = Release(
        migrations=dict(MigrationLoader(connection).graph.leaf_nodes()),
        sha256=migration_files(),
        rows={model._meta.label: [as_text(r) for r in model._base_manager.all()] for model in ours},
        api_key=api_key,
    )
    project = tomllib.loads(Path(ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    release.write(project["version"])


if __name__ == "__main__":
    main()
