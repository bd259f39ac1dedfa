"""Fill the database of the environment: users with a connection each.

python -m tests.support.fill_database NUMBER

Writes each one's access token and connection id as JSON.
"""

import json
import sys

import django


def main(number: int) -> None:
    django.setup()
    from connections_project.identity import sessions
    from connections_project.identity.models import User
    from tests.support.provider_rows import connection_of

    people = []
    for index in range(number):
        # Nobody signs in with a password here, and hashing one takes its time.
        user = User.objects.create_user(f"user-{index}@example.com", None)
        row = connection_of(user, account_id=f"customer-{index}")
        people.append((sessions.begin(user).access_token, str(row.pk)))
    json.dump(people, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
