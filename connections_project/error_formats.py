"""Which prefix of the API speaks which app's error format (docs/api.md, "Error formats")."""

from channels.api.errors import ChannelErrors
from connections_project.api.error_routing import register
from connections_project.receipts.views import ReceiptErrors
from connections_project.webhooks.errors import SecurityEventErrors, WebhookErrors
from providers.api.errors import ProviderErrors
from social.api.errors import SocialErrors

for _prefix in ("/api/v1/providers", "/api/v1/accounts", "/api/v1/auth"):
    register(_prefix, ProviderErrors())
for _prefix in ("/api/v1/channels", "/api/v1/schedules"):
    register(_prefix, ChannelErrors())
register("/api/v1/plugin/social-media-publisher/social", SocialErrors())
register("/api/v1/receipts", ReceiptErrors())
register("/api/v1/webhooks", WebhookErrors())
register("/api/v1/webhooks/google-risc", SecurityEventErrors())
