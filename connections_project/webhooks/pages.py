"""`/data-deletion/{code}`: what became of a person's request to have data erased."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_project.webhooks.models import DataDeletion


@require_safe
@never_cache
def data_deletion(request: HttpRequest, confirmation_code: str) -> HttpResponse:
    """Tell whoever has the code; the page names nobody."""
    deletion = get_object_or_404(DataDeletion, pk=confirmation_code)
    return render(request, "webhooks/data_deletion.html", {"deletion": deletion})
