"""The admin's own history names nobody, so that whoever is forgotten is forgotten there too."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from connections_project.identity.models import User
from connections_project.identity.origins import command_origin
from connections_project.operations.offboarding import forget

EMAIL = "kim.forgotten@example.com"


def history() -> str:
    return "\n".join(f"{one.object_repr} {one.change_message}" for one in LogEntry.objects.all())


def test_a_change_in_the_admin_names_nobody_in_its_history(page: Client) -> None:
    user = User.objects.create_user(EMAIL)
    answer = page.post(f"/admin/identity/user/{user.pk}/change/", {"email": f"x{EMAIL}"})
    assert answer.status_code == 302
    (entry,) = LogEntry.objects.all()
    assert entry.object_id == str(user.pk)
    assert EMAIL not in history()
    assert page.get(f"/admin/identity/user/{user.pk}/history/").status_code == 200


def test_whoever_is_forgotten_is_forgotten_by_the_history(operator: User) -> None:
    user = User.objects.create_user(EMAIL)
    LogEntry.objects.create(
        user=operator,
        action_flag=CHANGE,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr=EMAIL,
        change_message=EMAIL,
    )
    forget(user, reason="Art. 17", origin=command_origin(None))
    assert LogEntry.objects.count() == 1
    assert EMAIL not in history()
