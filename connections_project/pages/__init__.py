"""The pages where people look after their connections (docs/integrating.md, "Pages for people")."""
