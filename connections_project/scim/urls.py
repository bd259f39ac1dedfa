"""Routes of SCIM, mounted at /scim/v2/."""

from django.urls import path

from connections_project.scim.views import SERVED, DiscoveryViewSet, UnofferedViewSet, UserViewSet

urlpatterns = [
    path("ServiceProviderConfig", DiscoveryViewSet.as_view({"get": "config"})),
    *(path(kind, DiscoveryViewSet.as_view({"get": "list"}), {"kind": kind}) for kind in SERVED),
    *(
        path(f"{kind}/<str:name>", DiscoveryViewSet.as_view({"get": "retrieve"}), {"kind": kind})
        for kind in SERVED
    ),
    *(
        path(name, UnofferedViewSet.as_view({"post": "refuse"}))
        for name in ("Bulk", ".search", "Users/.search")
    ),
    # The token is a directory's, not a person's (RFC 7644, section 3.11).
    path(
        "Me", UnofferedViewSet.as_view(dict.fromkeys(("get", "put", "patch", "delete"), "refuse"))
    ),
    path("Users", UserViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "Users/<str:user_id>",
        UserViewSet.as_view(
            {"get": "retrieve", "put": "replace", "patch": "modify", "delete": "destroy"}
        ),
    ),
    path("Users/<str:user_id>/leaver-receipt", UserViewSet.as_view({"get": "leaver_receipt"})),
]
