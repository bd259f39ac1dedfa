"""What the service says of itself, and the User resource with what is kept of it."""

from typing import Annotated, Any

from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    External,
    Filter,
    ListResponse,
    Mutability,
    Name,
    Pagination,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    Returned,
    Schema,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

LARGEST_PAGE = 200
USER = URN("urn:ietf:params:scim:schemas:core:2.0:User")


class Email(ComplexAttribute):
    """An address of a person's."""

    # Not `EmailStr`, which refuses what directories use inside a company (user@corp.local).
    value: str | None = None
    display: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[Any]):
    """A person of the directory."""

    __schema__ = USER

    external_id: Annotated[str | None, Mutability.immutable, Returned.default, CaseExact.true] = (
        None
    )
    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    # Everybody is active or not, so that there is no resource without it.
    active: Annotated[bool | None, Required.true] = None
    emails: list[Email] | None = None


class SentUser(User):
    """A User as it may come: one without `active` is active."""

    active: bool | None = None


# Made once: what nobody holds is forgotten, and made anew for each request, in milliseconds.
UserList = ListResponse[SentUser]
UserSearch = SearchRequest[SentUser]
UserParameters = ResponseParameters[SentUser]
UserPatch = PatchOp[SentUser]
DescriptionList = ListResponse[ResourceType | Schema]

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=LARGEST_PAGE),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=False),
    pagination=Pagination(
        cursor=False, index=True, default_page_size=LARGEST_PAGE, max_page_size=LARGEST_PAGE
    ),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="OAuth Bearer Token",
            description="A token that manage.py create_scim_token has made.",
            spec_uri=Reference[External]("https://www.rfc-editor.org/rfc/rfc6750"),
            primary=True,
        )
    ],
)
# Directories send attributes that nothing is kept of, and Entra ID patches in ways of its own
# (learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups).
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(models=[User], config=CONFIG, policy=POLICY)
