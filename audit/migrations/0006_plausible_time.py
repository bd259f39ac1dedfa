"""Refuse times that Python can't hold, such as PostgreSQL's infinity, and all that are no clock's."""

from datetime import UTC, datetime

from django.db import migrations, models

from audit.migrations._unchecked import AddConstraintUnchecked


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_timestamp")]

    operations = [
        AddConstraintUnchecked(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("occurred_at__gte", datetime(1970, 1, 1, tzinfo=UTC)),
                    ("occurred_at__lt", datetime(9999, 1, 1, tzinfo=UTC)),
                ),
                name="audit_plausible_time",
            ),
        ),
    ]
