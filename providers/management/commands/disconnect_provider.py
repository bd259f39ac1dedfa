"""`manage.py disconnect_provider`: connections to financial providers, from the shell."""

from connections_project.operations.disconnect_command import EXAMPLES, DisconnectCommand


class Command(DisconnectCommand):
    help = "Disconnect connections to financial providers: one, a selection, or all."
    app = "providers"
    platform_option = "slug"
    examples = EXAMPLES.format(command="disconnect_provider", option="slug", slug="schwab", more="")
