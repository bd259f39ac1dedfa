"""The words of the back-office in templates."""

from django import template

from connections_project.back_office import words

register = template.Library()
register.filter("badge", words.badge)
register.filter("moment", words.moment)
register.filter("pairs", words.pairs)
register.filter("revocation", words.revocation)
