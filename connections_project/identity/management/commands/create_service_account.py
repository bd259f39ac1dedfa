"""The command that makes a service account."""

from connections_project.identity.models import PrincipalType
from connections_project.identity.principal_command import PrincipalCommand


class Command(PrincipalCommand):
    help = "Make a service, which signs in like a person and is never staff."
    principal_type = PrincipalType.SERVICE
