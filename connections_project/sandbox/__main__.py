"""`python -m connections_project.sandbox`, which `manage.py sandbox` starts."""

from connections_project.sandbox.server import run

run()
