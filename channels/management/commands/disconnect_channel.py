"""`manage.py disconnect_channel`: channels, from the shell."""

from connections_project.operations.disconnect_command import EXAMPLES, DisconnectCommand

MORE = """
A channel with pending or queued schedules is left alone and named, unless these are cancelled:
  manage.py disconnect_channel --channel x --status error --reason "..." --cancel-schedules
"""


class Command(DisconnectCommand):
    help = "Disconnect channels: one, a selection, or all."
    app = "channels"
    platform_option = "channel"
    examples = EXAMPLES.format(command="disconnect_channel", option="channel", slug="x", more=MORE)
