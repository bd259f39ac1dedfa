"""`/docs/{name}.md`: the pages of docs/, beside the API that they describe."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def documentation_page(_: HttpRequest, name: str) -> HttpResponse:
    """Return a page as the text that it is, with links that lead to its like.

    Args:
        name: A file's, without its ending; the route lets nothing through that names a folder.

    Raises:
        Http404: There is no such page.
    """
    try:
        page = (settings.BASE_DIR / "docs" / f"{name}.md").read_bytes()
    except OSError:
        # Also a name that is longer than any file's.
        raise Http404 from None
    return HttpResponse(page, content_type="text/plain; charset=utf-8")
