"""The error formats of receipts and webhooks; each connection type registers its own."""

from connections_project.api.error_routing import register
from connections_project.receipts.views import ReceiptErrors
from connections_project.webhooks.errors import WebhookErrors
from connections_project.webhooks.sender import webhook_senders

register("/api/v1/receipts", ReceiptErrors())
register("/api/v1/webhooks", WebhookErrors())
for _sender in webhook_senders():
    for _path in _sender.paths:
        register(f"/api/v1/webhooks/{_path}", _sender.errors)
