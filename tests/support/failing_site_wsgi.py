"""The failing site for a real server.

`granian --interface wsgi tests.support.failing_site_wsgi:application`
"""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

from django.conf import settings

from connections_project.server.handler import wsgi_application

settings.ROOT_URLCONF = "tests.support.failing_site"
# As many as are served at a time, which the tests of a single process raise.
settings.WEB_THREADS = 16
application = wsgi_application()
