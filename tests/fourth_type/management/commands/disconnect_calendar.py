"""`manage.py disconnect_calendar`: calendars, from the shell."""

from connections_project.operations.disconnect_command import EXAMPLES, DisconnectCommand


class Command(DisconnectCommand):
    help = "Disconnect calendars: one, a selection, or all."
    app = "fourth_type"
    platform_option = "platform"
    examples = EXAMPLES.format(
        command="disconnect_calendar", option="platform", slug="almanac", more=""
    )
