"""The command that makes a person."""

from connections_project.identity.principal_command import PrincipalCommand


class Command(PrincipalCommand):
    help = "Make a person who signs in with e-mail and password."
    examples = """
examples:
  manage.py create_user kim@example.com
  manage.py create_user kim@example.com --password-stdin --json < password.txt
"""
