"""SCIM 2.0 (RFC 7643, 7644): the directory of an issuer says who there is, and who has left."""
