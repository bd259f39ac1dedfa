"""`manage.py disconnect_social`: teams' social accounts, from the shell."""

from connections_project.operations.disconnect_command import EXAMPLES, DisconnectCommand

MORE = """
Disconnected accounts keep their tokens, sealed and unused, for SOCIAL_TOKEN_RETENTION_DAYS, and
nothing is revoked. Where the tokens must go, also those kept by earlier disconnects:
  manage.py disconnect_social --platform threads --all --reason "..." --erase-tokens
  manage.py disconnect_social --platform threads --all --reason "..." --erase-tokens --no-revoke
"""


class Command(DisconnectCommand):
    help = "Disconnect teams' social accounts: one, a selection, or all."
    app = "social"
    platform_option = "platform"
    own = "of the user's own team; those of other teams belong to the team"
    examples = EXAMPLES.format(
        command="disconnect_social", option="platform", slug="threads", more=MORE
    )
