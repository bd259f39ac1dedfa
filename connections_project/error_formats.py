"""The error formats of receipts and webhooks; each connection type registers its own."""

from connections_project.api.error_routing import register
from connections_project.receipts.views import ReceiptErrors
from connections_project.webhooks.errors import SecurityEventErrors, WebhookErrors

register("/api/v1/receipts", ReceiptErrors())
register("/api/v1/webhooks", WebhookErrors())
register("/api/v1/webhooks/google-risc", SecurityEventErrors())
