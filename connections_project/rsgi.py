"""The entry point for granian: `granian --interface rsgi connections_project.rsgi:application`.

It serves what `connections_project.wsgi` does, and receives bodies without holding a thread.
"""

import os

from django.conf import settings

from connections_project.server.application import Application
from connections_project.server.handler import wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")
application = Application(
    wsgi_application(),
    threads=settings.WEB_THREADS,
    body_seconds=settings.REQUEST_BODY_SECONDS,
    drain_seconds=settings.DRAIN_SECONDS,
)
