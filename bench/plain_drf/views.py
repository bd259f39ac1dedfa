"""What somebody would write in an hour: the same statements, and nothing around them.

No rate limits, no trace, no log line, no metrics, no checks of a body, no error formats.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import RefreshToken

from audit.models import AuditEvent
from connections_project.core.ids import uuid7
from connections_project.identity.models import SessionFamily, User
from connections_project.revocation.models import GrantHold, RevocationJob
from providers.models import Connection

FIELDS = [
    *("id", "provider_slug", "alias", "status", "is_connected", "needs_reauthentication"),
    *("connected_at", "last_sync_at", "created_at", "updated_at"),
]


class ConnectionSerializer(ModelSerializer[Connection]):
    class Meta:
        model = Connection
        fields = FIELDS


class ListAll(ListAPIView[Connection]):
    permission_classes = [IsAuthenticated]
    serializer_class = ConnectionSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        user_id: Any = self.request.user.pk
        rows = Connection.objects.filter(user_id=user_id, deleted_at=None)
        return rows.order_by("-created_at", "-id")


class Detail(RetrieveAPIView[Connection]):
    permission_classes = [IsAuthenticated]
    serializer_class = ConnectionSerializer
    lookup_field = "id"

    def get_queryset(self) -> Any:
        user_id: Any = self.request.user.pk
        return Connection.objects.filter(user_id=user_id, deleted_at=None)


class Login(APIView):
    def post(self, request: Request) -> Response:
        body: Any = request.data
        user = User.objects.get(email=body["email"], is_active=True)
        if not user.check_password(body["password"]):
            return Response(status=401)
        expires_at = timezone.now() + timedelta(days=14)
        SessionFamily.objects.create(user=user, current_jti=uuid7(), expires_at=expires_at)
        token = RefreshToken.for_user(user)
        return Response({"access_token": str(token.access_token), "refresh_token": str(token)})


class Disconnect(APIView):
    permission_classes = [IsAuthenticated]

    def delete(self, request: Request, id: UUID) -> Response:  # noqa: A002
        with transaction.atomic():
            rows = Connection.objects.select_for_update()
            row = get_object_or_404(rows, pk=id, user_id=request.user.pk, deleted_at=None)
            GrantHold.objects.filter(connection_id=row.pk).delete()
            _enqueue_revocation(row)
            _end(row)
            _record(row, request)
        return Response({"message": "Provider disconnected"})


def _enqueue_revocation(row: Connection) -> None:
    now = timezone.now()
    RevocationJob.objects.create(
        app="providers",
        platform=row.provider_slug,
        connection_id=row.pk,
        owner_id=row.user_id,
        authority=row.authority,
        client_id=row.client_id,
        platform_user_id=row.granting_user_id,
        sealed_tokens=row.auth_state,
        created_at=now,
        due_at=now,
    )


def _end(row: Connection) -> None:
    row.status, row.disconnected_at = "disconnected", timezone.now()
    row.auth_state, row.has_refresh_token = None, False
    row.token_issued_at = row.token_expires_at = row.grant_expires_at = None
    row.epoch += 1
    row.updated_at = row.disconnected_at
    row.save()


def _record(row: Connection, request: Request) -> None:
    AuditEvent.objects.create(
        action="provider_disconnected",
        outcome="success",
        actor_type="user",
        actor_id=row.user_id,
        interface="api",
        subject_type="providers.connection",
        subject_id=row.pk,
        subject_owner_id=row.user_id,
        trace_id=secrets.token_hex(16),
        client_address=request.META["REMOTE_ADDR"],
        details={"platform": row.provider_slug, "credentials_erased": True},
    )
