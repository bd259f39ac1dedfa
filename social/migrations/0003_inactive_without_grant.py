"""`is_active` is true of accounts alone whose grant the platform honours."""

from django.db import migrations, models
from django.db.models import Q


def deactivate(apps, schema_editor):
    """Accounts whose grant had died were still active."""
    accounts = apps.get_model("social", "SocialAccount").objects.using(
        schema_editor.connection.alias
    )
    accounts.filter(status__in=["expired", "revoked"]).update(is_active=False)


def activate(apps, schema_editor):
    accounts = apps.get_model("social", "SocialAccount").objects.using(
        schema_editor.connection.alias
    )
    accounts.filter(status__in=["expired", "revoked"]).update(is_active=True)


class Migration(migrations.Migration):
    dependencies = [("social", "0002_social_attention")]

    operations = [
        migrations.RemoveConstraint("socialaccount", "social_disconnected_is_inactive"),
        migrations.RunPython(deactivate, activate),
        migrations.AddConstraint(
            "socialaccount",
            models.CheckConstraint(
                name="social_disconnected_is_inactive",
                condition=Q(status="disconnected", is_active=False, disconnected_at__isnull=False)
                | (~Q(status="disconnected") & Q(disconnected_at=None)),
            ),
        ),
        migrations.AddConstraint(
            "socialaccount",
            models.CheckConstraint(
                name="social_active_is_active",
                condition=Q(status="active", is_active=True)
                | (~Q(status="active") & Q(is_active=False)),
            ),
        ),
    ]
