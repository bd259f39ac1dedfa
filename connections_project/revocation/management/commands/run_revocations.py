"""`manage.py run_revocations`: the other name of `run_background`."""

from connections_project.revocation.management.commands.run_background import Command as Command
