"""A constraint for what is yet to come: a log may be long, and no lock may wait for a look at it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddConstraintUnchecked(migrations.AddConstraint):
    """Add a CHECK as NOT VALID where the database has that (PostgreSQL, ALTER TABLE)."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state, to_state
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        statement = self.constraint.create_sql(model, schema_editor)
        schema_editor.execute(f"{statement} NOT VALID", params=None)
