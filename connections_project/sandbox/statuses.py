"""What the sandbox's people post, by Mastodon's API as far as a publisher needs it.

https://docs.joinmastodon.org/methods/statuses/, but for pictures, which go by their address here.
"""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from connections_project.sandbox.models import Status
from connections_project.sandbox.resources import BearerView


@method_decorator(csrf_exempt, name="dispatch")  # Its callers bear a token, and no cookie.
class StatusesView(BearerView):
    """Takes posts; one that comes again under the same Idempotency-Key is the same post."""

    required_scopes = ["statuses"]

    def post(self, request: Any) -> JsonResponse:
        text = request.POST.get("status", "")
        if not text.strip() or len(text) > 500:
            return JsonResponse({"error": "Validation failed: Text can't be used"}, status=422)
        given = {"text": text, "image_url": request.POST.get("image_url", "")}
        key = request.headers.get("Idempotency-Key", "")[:64] or None
        if key is None:
            made = Status.objects.create(author=request.resource_owner, **given)
        else:
            made, _ = Status.objects.get_or_create(
                author=request.resource_owner, idempotency_key=key, defaults=given
            )
        return JsonResponse(_status(request, made))


class TimelineView(View):
    """A person's posts, newest first, for everybody to read."""

    def get(self, request: HttpRequest, username: str) -> JsonResponse:
        person = User.objects.filter(username=username).first()
        if person is None:
            return JsonResponse({"error": "Record not found"}, status=404)
        posts = Status.objects.filter(author=person)
        return JsonResponse([_status(request, post) for post in posts], safe=False)


def _status(request: HttpRequest, post: Status) -> dict[str, str]:
    timeline = f"/api/v1/accounts/{post.author.get_username()}/statuses"
    return {
        "id": str(post.pk),
        "created_at": f"{post.posted_at:%Y-%m-%dT%H:%M:%SZ}",
        "content": post.text,
        "image_url": post.image_url,
        "url": request.build_absolute_uri(f"{timeline}#{post.pk}"),
    }
