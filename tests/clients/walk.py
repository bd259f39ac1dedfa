"""Walk all three apps with the client that openapi-python-client makes of the document.

It reads the service's address, e-mail address and password from its arguments, prints where a
browser has to go, and reads from standard input where that came back to.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import TypedDict, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from service import AuthenticatedClient, Client
from service.api.accounts import list_accounts, list_transactions, sync_accounts
from service.api.channels import (
    complete_connecting_channel,
    disconnect_channel,
    start_connecting_channel,
)
from service.api.connections import list_all_connections
from service.api.platforms import list_platforms
from service.api.providers import (
    complete_connecting,
    disconnect_connection,
    get_connection,
    refresh_tokens,
    start_connecting,
)
from service.api.receipts import get_receipt
from service.api.schedules import create_schedule
from service.api.sign_in import get_me, login
from service.api.social import (
    complete_connecting_social_accounts,
    disconnect_social_account,
    publish_to_social_account,
    start_connecting_social_accounts,
)
from service.models import (
    AccountPage,
    ChannelAnswer,
    ChannelConnectRequest,
    ChannelDisconnectAnswer,
    ConnectAnswer,
    ConnectionAnswer,
    ConnectionStatus,
    ConnectRequest,
    CredentialsRequest,
    DisconnectAnswer,
    ErrorItemErrorCodeEnum,
    ErrorList,
    ListPlatformsApp,
    MeAnswer,
    OverviewPage,
    PlatformList,
    Problem,
    ProblemTypeEnum,
    ReceiptAnswer,
    RefreshAnswer,
    RefreshRequest,
    ScheduleAnswer,
    ScheduleRequest,
    SocialCallbackAnswer,
    SocialConnectAnswer,
    SocialConnectRequest,
    SocialDisconnectAnswer,
    SocialDisconnectRequest,
    SocialError,
    SocialPublishAnswer,
    SocialPublishRequest,
    SyncAnswer,
    SyncRequest,
    TokenPair,
    TransactionPage,
)

A = TypeVar("A")
NOBODYS = UUID("0198c0de-0000-7000-8000-000000000000")


def expect(kind: type[A], answer: object) -> A:
    assert isinstance(answer, kind), answer
    return answer


class Answer(TypedDict):
    """What a platform has sent back (RFC 6749, section 4.1.2, and RFC 9207)."""

    code: str
    state: str
    iss: str


def come_back(authorization_url: str) -> Answer:
    """Have the caller go through the platform, and return what that has sent back."""
    print(f"Open {authorization_url}", flush=True)  # noqa: T201
    query = parse_qs(urlsplit(input()).query)
    return {"code": query["code"][0], "state": query["state"][0], "iss": query["iss"][0]}


def sign_in(url: str, email: str, password: str) -> AuthenticatedClient:
    anybody = Client(base_url=url)
    listed = expect(PlatformList, list_platforms.sync(client=anybody, app=ListPlatformsApp.SOCIAL))
    assert [one.slug for one in listed.platforms if one.available] == ["sandbox_pages"]
    credentials = CredentialsRequest(email=email, password=password)
    tokens = expect(TokenPair, login.sync(client=anybody, body=credentials))
    api = AuthenticatedClient(base_url=url, token=tokens.access_token)
    assert expect(MeAnswer, get_me.sync(client=api)).email == email
    return api


def walk_provider(api: AuthenticatedClient) -> None:
    start = ConnectRequest(provider_slug="sandbox")
    begun = expect(ConnectAnswer, start_connecting.sync(client=api, body=start))
    back = come_back(begun.authorization_url)
    made = expect(ConnectionAnswer, complete_connecting.sync(client=api, **back))
    assert made.alias is None
    refresh = RefreshRequest(force=True)
    refreshed = refresh_tokens.sync(made.id, client=api, body=refresh)
    assert expect(RefreshAnswer, refreshed).success
    sync = SyncRequest(connection_id=made.id)
    assert expect(SyncAnswer, sync_accounts.sync(client=api, body=sync)).created
    account = expect(AccountPage, list_accounts.sync(client=api, connection_id=made.id)).data[0]
    page = expect(TransactionPage, list_transactions.sync(account.id, client=api, limit=1))
    assert page.pagination.limit == 1
    expect(DisconnectAnswer, disconnect_connection.sync(made.id, client=api))
    ended = expect(ConnectionAnswer, get_connection.sync(made.id, client=api))
    assert ended.status == ConnectionStatus.DISCONNECTED
    expect(ReceiptAnswer, get_receipt.sync(made.id, client=api))
    unknown = expect(Problem, get_connection.sync(NOBODYS, client=api))
    assert unknown.type_ == ProblemTypeEnum.HTTPSAPI_DASHTAM_COMERRORSNOT_FOUND


def walk_channel(api: AuthenticatedClient) -> None:
    start = ChannelConnectRequest(channel="sandbox_social")
    begun = expect(ConnectAnswer, start_connecting_channel.sync(client=api, body=start))
    back = come_back(begun.authorization_url)
    made = expect(ChannelAnswer, complete_connecting_channel.sync(client=api, **back))
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    post = ScheduleRequest(channel_connection_id=made.id, content="Hello", run_at=later)
    expect(ScheduleAnswer, create_schedule.sync(client=api, body=post))
    refused = expect(ErrorList, disconnect_channel.sync(made.id, client=api)).errors[0]
    assert refused.error_code == ErrorItemErrorCodeEnum.CONNECTION_HAS_ACTIVE_SCHEDULES
    ended = disconnect_channel.sync(made.id, client=api, cancel_schedules=True)
    expect(ChannelDisconnectAnswer, ended)


def walk_social(api: AuthenticatedClient) -> None:
    start = SocialConnectRequest(platform="sandbox_pages")
    begun = start_connecting_social_accounts.sync(client=api, body=start)
    back = come_back(expect(SocialConnectAnswer, begun).authorization_url)
    made = complete_connecting_social_accounts.sync(client=api, **back)
    account = expect(SocialCallbackAnswer, made).accounts[0]
    post = SocialPublishRequest(account_id=account.id, caption="Hello")
    published = publish_to_social_account.sync(client=api, body=post, idempotency_key="first")
    assert expect(SocialPublishAnswer, published).success
    which = SocialDisconnectRequest(account_id=account.id)
    ended = disconnect_social_account.sync(client=api, body=which)
    expect(SocialDisconnectAnswer, ended)
    again = disconnect_social_account.sync(client=api, body=which)
    assert expect(SocialError, again).error == "Account already disconnected"


def main(url: str, email: str, password: str) -> None:
    api = sign_in(url, email, password)
    walk_provider(api)
    walk_channel(api)
    walk_social(api)
    listed = expect(OverviewPage, list_all_connections.sync(client=api)).data
    assert {one.status for one in listed if one.disconnected_at} == {"disconnected"}
    print("Walked")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
