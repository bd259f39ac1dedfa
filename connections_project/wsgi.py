"""The entry point for WSGI servers, for where `connections_project.rsgi` can't be served.

A WSGI server can't be kept from merging `X_Forwarded_For` into `X-Forwarded-For`, and a thread
waits for each body: both are left to the proxy in front (docs/operating.md).
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connections_project.settings")
application = get_wsgi_application()
