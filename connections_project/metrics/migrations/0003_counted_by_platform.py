from typing import Any

from django.db import migrations, models


class Widened(migrations.AlterField):
    """A longer text: SQLite heeds no length, and can't remake a table that triggers write to."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, *_: Any) -> None:
        """Leave it: what stands there may be longer."""


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0002_counted_changes"),
    ]

    operations = [
        Widened(
            model_name="countedchange",
            name="status",
            field=models.CharField(max_length=128),
        ),
    ]
