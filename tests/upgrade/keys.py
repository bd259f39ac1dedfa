"""The keys of the recorded rows: made-up ones, that guard nothing."""

import base64

CREDENTIAL_KEY = base64.urlsafe_b64encode(b"credentials of recorded releases").decode()
AUDIT_SEED = b"the audit log's recorded release"
