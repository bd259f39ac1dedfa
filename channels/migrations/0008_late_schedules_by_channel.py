from django.db import migrations, models

from connections_project.core.postgresql.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)


class Migration(migrations.Migration):
    # Indexes are built while others write.
    atomic = False

    dependencies = [
        ("channels", "0007_schedules_by_channel"),
    ]

    operations = [
        RemoveIndexConcurrently(model_name="schedule", name="schedule_tried"),
        AddIndexConcurrently(
            model_name="schedule",
            index=models.Index(
                fields=["channel", "run_at"],
                name="schedule_tried",
                condition=models.Q(("attempts__gt", 0), ("status", "pending")),
            ),
        ),
        RemoveIndexConcurrently(model_name="schedule", name="schedule_due"),
    ]
