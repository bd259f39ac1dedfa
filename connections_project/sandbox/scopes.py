"""What a client may ask for, in the words of the consent page."""

SCOPES = {
    "openid": "Know who you are",
    "profile": "See your name",
    "accounts": "See your accounts and their balances",
    "transactions": "See the transactions of your accounts",
    "pages": "See the pages that you manage",
    "publish": "Publish on them",
    "statuses": "Post in your name",
}
