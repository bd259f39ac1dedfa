"""Who can sign in to the service in development. Their passwords guard nothing and are printed."""

from dataclasses import dataclass

from django.core.management import call_command


@dataclass(frozen=True)
class Login:
    email: str
    password: str
    is_operator: bool = False


USER = Login("demo@example.com", "walk-through-walls")
# Nobody connects more than 5 times a minute, and the demo's scenarios together do.
PUBLISHER = Login("publisher@example.com", "ink-before-daylight")
OPERATOR = Login("operator@example.com", "mind-the-switchboard", is_operator=True)
LOGINS = (USER, PUBLISHER, OPERATOR)
EMAILS = [login.email for login in LOGINS]


def make_ready() -> None:
    """Bring the database of the settings to today's tables and let these people in."""
    call_command("migrate", verbosity=0, interactive=False)
    from connections_project.identity.accounts import create_principal
    from connections_project.identity.models import User
    from connections_project.identity.origins import command_origin
    from connections_project.operations.offboarding import reactivate

    for left in User.objects.filter(email__in=EMAILS, is_active=False):
        # `disconnect_user` was tried with them.
        reactivate(left, reason="development", origin=command_origin(None))
    known = set(User.objects.values_list("email", flat=True))
    for login in LOGINS:
        if login.email not in known:
            create_principal(
                email=login.email, password=login.password, is_operator=login.is_operator
            )
