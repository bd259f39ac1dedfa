"""The failing site for a real server, as the service is served.

`granian --interface rsgi tests.support.failing_site_rsgi:application`
"""

import os

from django.conf import settings

from connections_project.server import responses
from connections_project.server.application import Application
from tests.support.failing_site_wsgi import application as wsgi_application

responses.PIECE_SECONDS = float(os.environ.get("PIECE_SECONDS", "60"))
application = Application(
    wsgi_application,
    threads=settings.WEB_THREADS,
    body_seconds=settings.REQUEST_BODY_SECONDS,
    unread_seconds=float(os.environ.get("UNREAD_SECONDS", "30")),
)
