"""A constraint for what is yet to come: a log may be long, and no lock may wait for a look at it."""

from typing import Any

from django.core.management import CommandError
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_BROKEN = (
    "Event {event}{more} breaks {name}: it was not written by this service. Nothing was changed. "
    "Keep a copy, take it out as docs/evidence.md says, and migrate again."
)


class AddConstraintUnchecked(migrations.AddConstraint):
    """Add a CHECK as NOT VALID where the database has that (PostgreSQL, ALTER TABLE)."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state, to_state
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            self._require_kept(model, schema_editor.connection.alias)
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        statement = self.constraint.create_sql(model, schema_editor)
        schema_editor.execute(f"{statement} NOT VALID", params=None)

    def _require_kept(self, model: Any, database: str) -> None:
        """Name the rows that SQLite would refuse as it copies the table.

        Raises:
            CommandError: There are some.
        """
        broken = model.objects.using(database).exclude(self.constraint.condition)
        found = broken.order_by("pk").values_list("pk", flat=True)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            words = _BROKEN.format(event=found[0], more=more, name=self.constraint.name)
            raise CommandError(words)
