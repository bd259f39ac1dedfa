"""The WSGI application of the site whose settings are named."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
