from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="auditevent", name="audit_known_interface"),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("interface__in", ["api", "admin", "command", "worker", "webhook", "scim"])
                ),
                name="audit_known_interface",
            ),
        ),
    ]
