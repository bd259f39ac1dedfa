"""Erase who the people of connections were, once these are over."""

from connections_project.connections.models import OAuthConnection
from connections_project.connections.registry import Rows

BATCH = 500


def forget_people(rows: Rows) -> None:
    """Erase what is left of people in rows that are over; in a transaction.

    Args:
        rows: Of one app.
    """
    found: list[OAuthConnection] = list(rows.only("pk").order_by("pk"))
    for row in found:
        vars(row).update(row.anonymous_columns())
    if found:
        model = type(found[0])
        model._default_manager.bulk_update(found, found[0].anonymous_columns(), batch_size=BATCH)
        for start in range(0, len(found), BATCH):
            model.forget_texts(found[start : start + BATCH])
