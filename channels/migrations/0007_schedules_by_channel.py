from django.db import migrations, models

from connections_project.core.postgresql.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    # Indexes are built while others write.
    atomic = False

    dependencies = [
        ("channels", "0006_schedule_channel"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="schedule",
            index=models.Index(
                fields=["channel", "due_at", "id"],
                name="schedule_due_by_channel",
                condition=models.Q(("status", "pending")),
            ),
        ),
        AddIndexConcurrently(
            model_name="schedule",
            index=models.Index(
                fields=["run_at"],
                name="schedule_tried",
                condition=models.Q(("attempts__gt", 0), ("status", "pending")),
            ),
        ),
    ]
