"""What the OpenAPI document says of signing in."""

from connections_project.api.documentation import SAMPLE_ID, WITH_BODY, answer, asked, endpoint
from connections_project.api.errors import FieldError
from connections_project.api.rate_limits import API_READ
from connections_project.identity.api.serializers import (
    CredentialsSerializer,
    MeAnswer,
    RefreshTokenSerializer,
    TokenPairSerializer,
)

SIGN_IN = ["sign-in"]
REFUSED = "The refresh token is not valid."
NO_LOCAL_LOGIN = "Nobody signs in here by password: LOCAL_LOGIN is off."
MISSING = "This field is required."
CREDENTIALS = {"email": "ada@example.com", "password": "correct horse battery staple"}
TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.…",
    "refresh_token": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.…",
    "token_type": "bearer",
    "expires_in": 900,
}
WHO = {
    "principal_id": SAMPLE_ID,
    "principal_type": "user",
    "email": "ada@example.com",
    "issuer": "https://id.example.com",
    "subject": "00u1a2b3",
    "teams": [{"id": SAMPLE_ID, "name": "ada@example.com"}],
}
TOKEN = {"refresh_token": TOKENS["refresh_token"]}

ME = endpoint(
    "get_me",
    tags=SIGN_IN,
    summary="See whom the token speaks for",
    description="The principal, whichever issuer it comes from, and the teams it belongs to, its "
    "own first. `issuer` and `subject` are `null` for who signs in here by e-mail; `email` is "
    "`null` where the issuer doesn't tell it.",
    answers={200: answer("Who it is.", MeAnswer, one=WHO)},
    refusals=("unauthorized",),
    limit=API_READ,
)
LOGIN = endpoint(
    "login",
    tags=SIGN_IN,
    summary="Sign in with e-mail and password",
    description="Send the `access_token` as `Authorization: Bearer …` with every further call. "
    "Service accounts sign in here too. Failed sign-ins are limited: 5 a minute for an e-mail "
    "from one address, 20 a minute from an address, 100 an hour for an e-mail.",
    auth=[],
    request=CredentialsSerializer,
    examples=[asked(CREDENTIALS)],
    answers={200: answer("Signed in.", TokenPairSerializer, tokens=TOKENS)},
    refusals=("unauthorized", "not_found", "rate_limit_exceeded", *WITH_BODY),
    details={"unauthorized": "E-mail and password don't match.", "not_found": NO_LOCAL_LOGIN},
    wrong=FieldError("password", "required", MISSING),
)
REFRESH = endpoint(
    "refresh_session",
    tags=SIGN_IN,
    summary="Exchange a refresh token for new tokens",
    description="Each refresh token can be used once: keep the new one. One that comes back "
    "after its use was stolen, or its copy was, so that the whole sign-in ends.",
    auth=[],
    request=RefreshTokenSerializer,
    examples=[asked(TOKEN)],
    answers={200: answer("New tokens.", TokenPairSerializer, tokens=TOKENS)},
    refusals=("unauthorized", "not_found", "rate_limit_exceeded", *WITH_BODY),
    details={"unauthorized": REFUSED, "not_found": NO_LOCAL_LOGIN},
    wrong=FieldError("refresh_token", "required", MISSING),
)
LOGOUT = endpoint(
    "logout",
    tags=SIGN_IN,
    summary="Sign out",
    description="No refresh token of this sign-in is good any more. An access token that was "
    "handed out lives on until its end, 15 minutes at most.",
    auth=[],
    request=RefreshTokenSerializer,
    examples=[asked(TOKEN)],
    answers={204: answer("Signed out.")},
    refusals=("unauthorized", "rate_limit_exceeded", *WITH_BODY),
    details={"unauthorized": REFUSED},
    wrong=FieldError("refresh_token", "required", MISSING),
)
