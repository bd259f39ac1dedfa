"""Principals, teams and their keys in the admin. Passwords stay out of it."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from audit.events import Action
from audit.record import record
from connections_project.admin.base import BaseAdmin, CheckedForm, ReadOnlyAdmin
from connections_project.admin.filters import MADE, column_filter
from connections_project.admin.formatting import badge, format_datetime, link_to
from connections_project.admin.made_once import MadeBeforeError, MadeOnceAdmin
from connections_project.admin.object_actions import AdminExtension, ObjectAction
from connections_project.admin.viewing import may_view
from connections_project.core import clock
from connections_project.identity.admin_filters import KindFilter
from connections_project.identity.admin_forms import KeyForm
from connections_project.identity.fields import normal_email
from connections_project.identity.keys import InvalidKeyRequestError, NewKey, create_key, revoke_key
from connections_project.identity.models import ApiKey, Membership, PrincipalType, Team, User
from connections_project.identity.origins import admin_origin
from connections_project.identity.principals import signed_in

# Who could change these could make an operator of anybody, and so of himself.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
YES_NO = (("yes", "yes"), ("no", "no"))


def _is_yes(word: str) -> bool:
    return word == "yes"


@admin.register(User)
class UserAdmin(BaseAdmin):
    """A principal, without its password, and so not made here: the commands ask for one.

    `operations` adds how a user goes through `extensions`.
    """

    extensions: ClassVar[list[type[AdminExtension]]] = []
    change_form_template = "admin/person.html"
    list_display = ("email", "principal_type", "is_active", "is_staff", "made")
    list_filter = (
        column_filter("principal_type", lambda: PrincipalType.choices, named="kind"),
        column_filter("is_active", lambda: YES_NO, named="active", by=_is_yes),
        column_filter("is_staff", lambda: YES_NO, named="operator", by=_is_yes),
        *MADE,
    )
    prefix_columns = ("email", "issuer_email")
    sortable_by = ("email", "made")
    search_help_text = "What an e-mail address, or the principal's id, begins with"
    fields = ("id", "email", "principal_type", "is_active", *POWERS, "created_at", "last_login")
    saved_filters = {
        "Operators": "is_staff=yes",
        "Services": "principal_type=service",
        "Deactivated": "is_active=no",
    }
    export_columns = ("id", "email", "issuer", "subject", "issuer_email", "principal_type",
                      "is_active", "is_staff", "created_at", "last_login")  # fmt: skip

    def search_filter(self, term: str) -> Any:
        return super().search_filter(normal_email(term))

    @admin.display(ordering="id")
    def made(self, user: User) -> SafeString | str:
        return format_datetime(user.created_at)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out what only operators and service accounts may be given."""
        left_out = set() if obj is None or obj.is_staff else set(POWERS[1:])
        if obj is not None and obj.principal_type == PrincipalType.SERVICE:
            # Such as to read events, or to act for people.
            left_out = {"is_superuser", "groups"}
        return [field for field in super().get_fields(request, obj) if field not in left_out]

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whether people may be changed; operators only by whoever has every permission."""
        if obj is not None and obj.is_staff and not request.user.is_superuser:
            return obj.pk == request.user.pk and super().has_change_permission(request, obj)
        return super().has_change_permission(request, obj)

    # Whoever is deactivated is also disconnected, which is no field to be ticked.
    readonly_fields = ("id", "principal_type", "is_active", "created_at", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        fixed = super().get_readonly_fields(request, obj)
        if obj is not None and (obj.issuer or obj.is_forgotten):
            # Known by issuer and subject: the issuer says what address it has. Or known no more: a
            # form that was opened before would bring the address back.
            fixed = (*fixed, "email")
        return fixed if request.user.is_superuser else (*fixed, *POWERS)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "email":
            kwargs["required"] = True
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _note(Action.USER_CHANGED, form.instance, request, changed=form.changed_data)


def _note(action: Action, row: User | Team, request: HttpRequest, **details: Any) -> None:
    """Record which fields were changed, and no value that the log could never forget."""
    record(
        action,
        origin=admin_origin(request),
        subject_type=row._meta.model_name or "",
        subject_id=row.pk,
        subject_owner_id=row.pk,
        details=details,
    )


admin.site.unregister(Group)


@admin.register(Group)
class PermissionsAdmin(BaseAdmin, GroupAdmin):
    """Groups of operators, with the limits of every other list here.

    They are changed by whoever has every permission: others could widen their own.
    """

    filter_horizontal = ()
    id_columns = ()
    prefix_columns = ("name",)
    sortable_by = ("name",)
    search_help_text = "What the group's name begins with"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002
        return request.user.is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        group: Group = form.instance
        record(
            Action.GROUP_CHANGED,
            origin=admin_origin(request),
            subject_type="group",
            subject_id=None,
            subject_owner_id=None,
            details=_powers_of(group) | {"changed": form.changed_data},
        )


def _powers_of(group: Group) -> dict[str, Any]:
    held = group.permissions.values_list("content_type__app_label", "codename")
    return {"group": group.name, "permissions": sorted(".".join(one) for one in held)}


class MembershipInline(admin.StackedInline):  # type: ignore[type-arg]
    """Who belongs to the team.

    `operations` sets the formset, which keeps the last active member of a team with accounts.
    """

    model = Membership
    form = CheckedForm
    fields = ("user",)
    raw_id_fields = ("user",)
    extra = 0


@admin.register(Team)
class TeamAdmin(MadeOnceAdmin):
    """A team and its members."""

    list_display = ("name", "whose", "made")
    list_filter = (KindFilter, *MADE)
    list_select_related = ("owner",)
    id_columns = ("id", "owner_id")
    prefix_columns = ("name",)
    sortable_by = ("name", "made")
    search_help_text = "What the team's name, as it is written, its id or its owner's begins with"
    fields = ("id", "name", "owner", "created_at")
    export_columns = ("id", "name", "owner_id", "created_at")
    readonly_fields = ("id", "owner", "created_at")
    inlines = (MembershipInline,)

    def whose(self, team: Team) -> SafeString | str:
        return link_to(team.owner) if team.owner else "shared"

    @admin.display(ordering="id")
    def made(self, team: Team) -> SafeString | str:
        return format_datetime(team.created_at)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        team: Team = form.instance
        members = sorted(str(key) for key in team.members.values_list("pk", flat=True))
        _note(Action.TEAM_CHANGED, team, request, changed=form.changed_data, members=members)


def _revoke(request: HttpRequest, key: ApiKey, reason: str) -> str:
    revoke_key(prefix_or_id=key.prefix, origin=admin_origin(request), reason=reason)
    return "It opens nothing any more."


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Teams' keys: made here and shown once, revoked for good, never changed."""

    list_display = ("prefix", "name", "shown_state", "of_team", "shown_scopes", "used")
    list_filter = MADE
    list_select_related = ("team",)
    id_columns = ("id", "team_id")
    prefix_columns = ("prefix",)
    sortable_by = ("prefix",)
    export_columns = ("id", "prefix", "name", "team_id", "scopes", "expires_at", "last_used_at",
                      "revoked_at", "created_by_id", "created_at")  # fmt: skip
    search_help_text = "What the key (cnx_…), its id or its team's begins with"
    fields = ("id", "prefix", "name", "shown_state", "of_team", "shown_scopes", "expires_at",
              "last_used_at", "revoked_at", "created_by", "created_at")  # fmt: skip
    readonly_fields = fields
    object_actions = (
        ObjectAction(
            name="revoke",
            label="Revoke",
            permission="identity.change_apikey",
            question="Whatever uses this key gets 401 from now on. It can't be undone.",
            do=_revoke,
            applies=lambda key: key.revoked_at is None,
            is_destructive=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.add_apikey")

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = KeyForm(
            request.POST if request.method == "POST" else None,
            shows_teams=may_view(request.user, Team),
        )
        try:
            made = self._made(request, form) if form.is_valid() else None
        except MadeBeforeError as error:
            return self.made_before(request, error.row_id)
        # The admin lets no page of its be stored, so none keeps the key.
        return self.page(
            request,
            "admin/shown_once.html",
            title="Make an API key",
            label="Make the key",
            form=form,
            kind="key",
            secret=made and made.text,
            row=made and made.key,
            whose=made and made.key.team,
        )

    def _made(self, request: HttpRequest, form: KeyForm) -> NewKey | None:
        origin, maker = admin_origin(request), signed_in(request)
        make = partial(create_key, **form.wanted, origin=origin, created_by=maker)
        try:
            return form.make_once(ApiKey, lambda row_id: make(key_id=row_id))
        except InvalidKeyRequestError as error:
            form.add_error(None, str(error))
            return None

    def shown_state(self, key: ApiKey) -> SafeString:
        if key.revoked_at is not None:
            return badge("revoked", "off")
        good = key.is_good(now=clock.now())
        return badge("good", "good") if good else badge("expired", "off")

    shown_state.short_description = "state"  # type: ignore[attr-defined]

    def of_team(self, key: ApiKey) -> SafeString | str:
        return link_to(key.team)

    of_team.short_description = "team"  # type: ignore[attr-defined]

    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    shown_scopes.short_description = "scopes"  # type: ignore[attr-defined]

    def used(self, key: ApiKey) -> SafeString | str:
        return format_datetime(key.last_used_at)

    used.short_description = "last used"  # type: ignore[attr-defined]
