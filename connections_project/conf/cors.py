"""Settings of django-cors-headers: which requests of other origins browsers may make."""

# CORS for the API alone, without cookies: a front end bears its user's token.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE")
CORS_ALLOW_HEADERS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "x-team-id",
)
CORS_EXPOSE_HEADERS = (
    "X-Trace-Id",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Link",
)
CORS_PREFLIGHT_MAX_AGE = 600
