"""X: posts by its API v2 (xdevplatform/docs openapi.json, POST /2/tweets)."""

import re

from channels.text_lengths import tweet_length
from connections_project.oauth.calls import api_url
from connections_project.oauth.paths import dig
from connections_project.oauth.transport import Request
from connections_project.platforms.adapter import Adapter
from connections_project.platforms.post_rules import Publishing
from connections_project.platforms.publishing import Post, Published, PublishSession


def publish(session: PublishSession, post: Post) -> Published:
    url = api_url(session.upstream.platform, "/2/tweets")
    request = Request("POST", url, headers=session.authorization, json={"text": post.text})
    answer = session.call(request, publishes=True)
    post_id = dig(answer.json(), "data.id")
    return session.published(post_id, f"https://x.com/{_name(post)}/status/{post_id}")


def _name(post: Post) -> str:
    # Of a wrong name, such as one that was changed since, X makes the right one.
    return post.account_name if re.fullmatch(r"\w{1,15}", post.account_name, re.ASCII) else "i"


# Images are uploaded as bytes (POST /2/media/upload), and no key identifies a repeated post.
adapter = Adapter(publishing=Publishing(publish=publish, text_max=280, text_length=tweet_length))
