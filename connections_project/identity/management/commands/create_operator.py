"""The command that makes an operator."""

from connections_project.identity.principal_command import PrincipalCommand


class Command(PrincipalCommand):
    help = "Make an operator: a person who enters the admin, with every permission."
    is_operator = True
