"""X: posts by its API v2 (xdevplatform/docs openapi.json, POST /2/tweets)."""

from channels.text_lengths import tweet_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession

# X says here, and not in Retry-After, when it may be asked again (response-codes-and-errors.mdx).
RESET_HEADER = "x-rate-limit-reset"


def publish(session: PublishSession, post: Post) -> Published:
    url = api_url(session.upstream.platform, "/2/tweets")
    request = Request("POST", url, headers=session.authorization, json={"text": post.text})
    answer = session.call(request, publishes=True, reset_header=RESET_HEADER)
    return session.published(dig(answer.json(), "data.id"))


# Images are uploaded as bytes (POST /2/media/upload), and no key identifies a repeated post.
adapter = Adapter(publishing=Publishing(publish=publish, text_max=280, text_length=tweet_length))
