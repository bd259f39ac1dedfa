"""Django's own history of what was changed in the admin, which the audit log does not need."""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from connections_project.identity.models import Team, User


def forget_names(user: User) -> None:
    """Leave nothing but ids in what the history has of a user, and of the user's own team.

    Releases before wrote names there.
    """
    for one in (user, *Team.objects.filter(owner=user)):
        kind = ContentType.objects.get_for_model(one)
        entries = LogEntry.objects.filter(content_type=kind, object_id=str(one.pk))
        entries.update(object_repr=str(one.pk), change_message="")
