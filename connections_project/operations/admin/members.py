"""Who leaves a team on its page: not its last active member while it has live accounts."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet

from connections_project.connections.registry import connection_types
from connections_project.identity.models import Membership, Team, User


def live_accounts(team: Team) -> int:
    """Count a team's connections that are not disconnected."""
    return sum(
        one.unfinished(one.rows.filter(team=team)).count()
        for one in connection_types()
        if one.belongs_to_teams
    )


class MembersFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The members of a team, as a form leaves them.

    What nobody active has is found by no offboarding, and so would be ended by none.
    """

    def clean(self) -> None:
        super().clean()
        if self.instance._state.adding or any(self.errors):
            return
        # The lock of all by whom a team gets accounts or loses members: of two that are taken out
        # at once the second one is seen to be the last.
        Team.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        before = dict(Membership.objects.filter(team=self.instance).values_list("pk", "user_id"))
        if _has_active(before.values()) and not _has_active(self._members_after(before)):
            self._refuse_with_accounts(live_accounts(self.instance))

    def _members_after(self, before: dict[UUID, UUID]) -> set[UUID]:
        """Return who belongs to the team once the form is saved."""
        gone = self.deleted_forms
        changed = [form for form in self.forms if form.has_changed() and form not in gone]
        touched = {form.instance.pk for form in (*gone, *changed)}
        staying = {user for key, user in before.items() if key not in touched}
        return staying | {form.cleaned_data["user"].pk for form in changed}

    @staticmethod
    def _refuse_with_accounts(count: int) -> None:
        if not count:
            return
        raise ValidationError(
            f"The team would be left without an active member. Disconnect its {count} live "
            f"account{'' if count == 1 else 's'} first, or deactivate the member instead, which "
            "ends what nobody else has."
        )


def _has_active(users: Iterable[UUID]) -> bool:
    return User.objects.filter(pk__in=list(users), is_active=True).exists()
