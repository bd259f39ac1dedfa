"""The door for web servers: `granian --interface wsgi connections_project.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")
application = get_wsgi_application()
