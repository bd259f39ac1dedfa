"""The connections of the three apps, with the forced disconnect that concerns all of them."""

from django.contrib import admin

from channels.admin import ChannelConnectionAdmin
from channels.models import ChannelConnection
from connections_project.operations.admin.force import ForceDisconnectAdmin
from providers.admin import ProviderConnectionAdmin
from providers.models import Connection
from social.admin import SocialAccountAdmin
from social.models import SocialAccount


@admin.register(Connection)
class ForcibleProviders(ForceDisconnectAdmin, ProviderConnectionAdmin):
    pass


@admin.register(ChannelConnection)
class ForcibleChannels(ForceDisconnectAdmin, ChannelConnectionAdmin):
    pass


@admin.register(SocialAccount)
class ForcibleAccounts(ForceDisconnectAdmin, SocialAccountAdmin):
    pass
