"""Routes of this app, mounted at /api/v1/. No trailing slashes; ids are read by the views, so that
a malformed one is answered after the credentials were looked at."""

from django.urls import path

from social.api.views import SocialViewSet

PREFIX = "plugin/social-media-publisher/social"

urlpatterns = [
    path(f"{PREFIX}/connect", SocialViewSet.as_view({"post": "connect"})),
    path(f"{PREFIX}/callback", SocialViewSet.as_view({"post": "callback"})),
    path(f"{PREFIX}/accounts", SocialViewSet.as_view({"get": "accounts"})),
    path(f"{PREFIX}/disconnect", SocialViewSet.as_view({"post": "disconnect"})),
    path(f"{PREFIX}/disconnect/<str:id>", SocialViewSet.as_view({"delete": "destroy"})),
    path(f"{PREFIX}/publish", SocialViewSet.as_view({"post": "publish"})),
]
