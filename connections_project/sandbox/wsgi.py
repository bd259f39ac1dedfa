"""The sandbox's WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "connections_project.sandbox.settings"
application = get_wsgi_application()
