"""The operator's time zone: chosen once in a browser, and in force on the admin's pages alone."""

from collections.abc import Callable
from datetime import UTC
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

COOKIE = "admin_time_zone"
COOKIE_SECONDS = 365 * 86400


@cache
def zones() -> tuple[str, ...]:
    return ("UTC", *sorted(available_timezones() - {"UTC", "localtime", "Factory"}))


class TimeZoneMiddleware:
    """Have the admin's pages read and show times in the zone of the browser's cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(COOKIE, "")
        is_ours = chosen and request.path.startswith(reverse("admin:index"))
        if not is_ours or chosen not in zones():
            return self.get_response(request)
        with timezone.override(ZoneInfo(chosen)):
            return self.get_response(request)


class MomentField(forms.DateTimeField):
    """A time in the operator's zone that is one in UTC too, as which it is stored and read."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        try:
            return found and found.astimezone(UTC)
        except OverflowError:
            # The calendar's first and last hours are beyond it elsewhere.
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class TimeZoneForm(forms.Form):
    zone = forms.ChoiceField(label="Time zone", choices=lambda: [(one, one) for one in zones()])


def choose_time_zone(request: HttpRequest, site: Any) -> HttpResponse:
    """Ask for the time zone, remember it in this browser, and go back."""
    current = {"zone": timezone.get_current_timezone_name()}
    form = TimeZoneForm(request.POST if request.method == "POST" else None, initial=current)
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("admin:index")
    if not form.is_valid():
        context = {**site.each_context(request), "title": "Time zone", "form": form, "back": back}
        return TemplateResponse(request, "admin/time_zone.html", context)
    # Not `redirect`, which takes what has no slash for the name of a view.
    response = HttpResponseRedirect(back)
    response.set_cookie(
        COOKIE,
        form.cleaned_data["zone"],
        max_age=COOKIE_SECONDS,
        path=reverse("admin:index"),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response
