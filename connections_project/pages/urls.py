"""Routes of a person's own pages, mounted at the root."""

from django.urls import path

from connections_project.pages.brand import brand_logo
from connections_project.pages.links import LeavePage, OpenPage
from connections_project.pages.starting import ConnectPage, ReconnectPage
from connections_project.pages.views import ConnectionsPage, DisconnectPage, EndedPage, ReceiptFile

OWN = "connections/<uuid:connection_id>"

urlpatterns = [
    path("connections", ConnectionsPage.as_view(), name="connections"),
    path("connections/connect", ConnectPage.as_view(), name="connect"),
    path("connections/open", OpenPage.as_view(), name="open"),
    path("connections/leave", LeavePage.as_view(), name="leave"),
    path(OWN, EndedPage.as_view(), name="connection-ended"),
    path(f"{OWN}/reconnect", ReconnectPage.as_view(), name="reconnect"),
    path(f"{OWN}/disconnect", DisconnectPage.as_view(), name="disconnect"),
    path(f"{OWN}/receipt", ReceiptFile.as_view(), name="receipt"),
    path("brand/logo", brand_logo, name="brand-logo"),
]
