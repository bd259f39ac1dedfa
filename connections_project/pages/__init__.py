"""Pages where people look after their own connections (docs/integrating.md, "Pages for people")."""
