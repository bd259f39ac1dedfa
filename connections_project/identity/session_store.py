"""Browsers' sessions in the database, and by its clock: a host's own may be wrong."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from connections_project.core import clock


class SessionStore(db.SessionStore):
    """Django's store, whose sessions end when the database's clock says so."""

    def get_expiry_age(self, **moments: Any) -> int:
        return super().get_expiry_age(**{"modification": clock.now(), **moments})

    def get_expiry_date(self, **moments: Any) -> datetime:
        return super().get_expiry_date(**{"modification": clock.now(), **moments})

    def _get_session_from_db(self) -> Session | None:
        living = Session.objects.filter(expire_date__gt=clock.now())
        found = living.filter(session_key=self.session_key).first()
        if found is None:
            self._session_key = None
        return found

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that are over, as `manage.py clearsessions` does."""
        Session.objects.filter(expire_date__lt=clock.now()).delete()
