"""What is kept of a release: where its migrations ended, their digests, and rows it has written."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db import models, transaction

ROOT = Path(__file__).resolve().parents[2]
RELEASES = Path(__file__).with_name("releases")
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Release:
    """A release, as `tests/upgrade/record.py` wrote it down.

    Args:
        migrations: Each app's last migration, those of other packages too.
        sha256: The digest of each file of migrations of our own.
        rows: Of each model the rows, as text that its fields read.
        api_key: The key that one of the rows knows the hash of.
    """

    migrations: dict[str, str]
    sha256: dict[str, str]
    rows: Rows
    api_key: str

    @classmethod
    def of(cls, version: str) -> "Release":
        text = (RELEASES / f"{version}.json").read_text(encoding="utf-8")
        return cls(**json.loads(text))

    def write(self, version: str) -> None:
        """Write it down; what was released once is never written again (FileExistsError)."""
        with (RELEASES / f"{version}.json").open("x", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.write("\n")

    def store(self, apps: Apps) -> None:
        """Put the rows into a database of that release.

        Args:
            apps: The models as that release's migrations describe them.
        """
        # Foreign keys are looked at when it commits, so that the order of models is of no account.
        with transaction.atomic():
            for label, rows in self.rows.items():
                model = apps.get_model(label)
                model._base_manager.bulk_create(model(**values_of(model, row)) for row in rows)


def recorded_versions() -> list[str]:
    return sorted(path.stem for path in RELEASES.glob("*.json"))


def is_ours(app: AppConfig) -> bool:
    package = app.name.split(".")[0]
    return package != "tests" and (ROOT / package).is_dir()


def migration_files() -> dict[str, str]:
    """Return the digests of the migrations of the service and of its sandbox."""
    packages = [ROOT / name for name in ("audit", "channels", "connections_project")]
    packages += [ROOT / name for name in ("providers", "social")]
    files = [path for package in packages for path in package.rglob("migrations/0*.py")]
    return {str(path.relative_to(ROOT)): digest(path) for path in sorted(files)}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_text(row: models.Model) -> dict[str, Any]:
    """Write down a row's columns, so that `values_of` reads them."""
    return {
        field.attname: None if field.value_from_object(row) is None else field.value_to_string(row)
        for field in row._meta.concrete_fields
    }


def values_of(model: type[models.Model], row: dict[str, Any]) -> dict[str, Any]:
    """Read a row's columns, as far as the model has them."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {name: fields[name].to_python(text) for name, text in row.items() if name in fields}
