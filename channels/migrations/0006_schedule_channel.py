from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0005_admin_search"),
    ]

    operations = [
        # Workers fill it in as schedules become due: nothing has to be rewritten here.
        migrations.AddField(
            model_name="schedule",
            name="channel",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
    ]
