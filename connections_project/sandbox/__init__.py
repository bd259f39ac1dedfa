"""Development only: an OAuth 2.0 server with accounts to connect to, a project of its own."""
