"""The pages that the sandbox's people manage, and what a connected client publishes on them."""

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from connections_project.sandbox.models import PagePost
from connections_project.sandbox.resources import BearerView


@dataclass(frozen=True)
class Page:
    id: str
    name: str


# By the username of who manages them.
PAGES = {
    "ada": (Page("ada-notes", "@notes_by_ada"), Page("ada-engine", "@analytical_engine")),
    "grace": (Page("grace-moth", "@moth_in_the_relay"),),
}


class PagesView(BearerView):
    required_scopes = ["pages"]

    def get(self, request: Any) -> JsonResponse:
        return JsonResponse({"pages": [asdict(page) for page in _pages(request)]})


@method_decorator(csrf_exempt, name="dispatch")  # Its callers bear a token, and no cookie.
class PostsView(BearerView):
    """A page's posts; whoever comes again with the same text makes another post."""

    required_scopes = ["publish"]

    def get(self, request: Any, page_id: str) -> JsonResponse:
        if not _manages(request, page_id):
            return _not_found()
        posts = PagePost.objects.filter(page_id=page_id)
        return JsonResponse({"posts": [_post(request, post) for post in posts]})

    def post(self, request: Any, page_id: str) -> JsonResponse:
        if not _manages(request, page_id):
            return _not_found()
        text = request.POST.get("text", "")
        if not text.strip() or len(text) > 500:
            return JsonResponse({"error": "invalid_text"}, status=400)
        made = PagePost.objects.create(
            page_id=page_id, text=text, image_url=request.POST.get("image_url", "")
        )
        return JsonResponse(_post(request, made), status=201)


def _not_found() -> JsonResponse:
    return JsonResponse({"error": "not_found"}, status=404)


def _pages(request: Any) -> tuple[Page, ...]:
    return PAGES.get(request.resource_owner.get_username(), ())


def _manages(request: Any, page_id: str) -> bool:
    # Another person's page is as unknown as one that never was.
    return page_id in {page.id for page in _pages(request)}


def _post(request: HttpRequest, post: PagePost) -> dict[str, str]:
    return {
        "id": str(post.pk),
        "url": request.build_absolute_uri(f"/api/pages/{post.page_id}/posts#{post.pk}"),
        "text": post.text,
        "image_url": post.image_url,
        "posted_at": f"{post.posted_at:%Y-%m-%dT%H:%M:%SZ}",
    }
