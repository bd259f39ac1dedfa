"""The one OAuth client. It knows no model, no request and no setting."""
