"""Operators' single sign-on at an OpenID Connect provider.

The flow (state, nonce, PKCE) is mozilla-django-oidc's, which brings two views and a backend and
nothing else; allauth would bring a second system of accounts, with models, pages and sessions of
its own. Its calls and its look at ID tokens are replaced: they know no deadline, no issuer and no
audience.
"""
