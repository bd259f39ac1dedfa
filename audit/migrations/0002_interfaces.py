"""Let the audit log say that something was done on the pages for people, or by SCIM.

PostgreSQL takes the new constraint without a look at the rows that there are: they passed a stricter
one, and a log may be long.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WORDS = ["api", "admin", "command", "worker", "webhook", "page", "scim"]


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


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="auditevent", name="audit_known_interface"),
        AddConstraintUnchecked(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("interface__in", WORDS)), name="audit_known_interface"
            ),
        ),
    ]
