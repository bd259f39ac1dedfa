"""The small site for a real server (`granian --interface wsgi tests.http.served:application`)."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "tests.http.urls"
application = get_wsgi_application()
