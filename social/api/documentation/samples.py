"""Bodies as the source document shows them (Social Media Disconnect API), and others like them."""

ACCOUNT_ID = "123e4567-e89b-12d3-a456-426614174000"

ACCOUNT = {
    "id": ACCOUNT_ID,
    "platform": "instagram_business",
    "accountName": "@myaccount",
    "isActive": True,
    "connectedAt": "2024-01-02T09:00:00Z",
    "disconnectedAt": None,
}
CONNECT_REQUEST = {"platform": "instagram_business", "accountIds": [ACCOUNT_ID]}
STARTED = {
    "authorizationUrl": "https://www.facebook.com/v25.0/dialog/oauth?response_type=code"
    "&client_id=xxx&redirect_uri=https%3A%2F%2Fmyapp.com%2Foauth%2Fcallback&state=abc123def456",
    "state": "abc123def456",
    "expiresIn": 600,
}
CONNECTED = {"success": True, "connectedCount": 1, "accounts": [ACCOUNT]}
ACCOUNTS = {"accounts": [ACCOUNT]}
DISCONNECT_REQUEST = {"accountId": ACCOUNT_ID}
DISCONNECTED = {
    "success": True,
    "accountId": ACCOUNT_ID,
    "message": "Successfully disconnected @myaccount (instagram_business)",
}
PUBLISH_REQUEST = {
    "accountId": ACCOUNT_ID,
    "caption": "Doors open at eight.",
    "imageUrl": "https://myapp.com/images/door.jpg",
}
PUBLISHED = {
    "success": True,
    "platform": "instagram_business",
    "postId": "17895695668004550",
    "postUrl": "https://www.instagram.com/p/CzABC123/",
}
