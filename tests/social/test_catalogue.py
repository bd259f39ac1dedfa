"""The shipped entries say what the platforms demand."""

from connections_project.platforms.catalog import catalog

SOCIAL = catalog().of_app("social")

# client authentication, PKCE, scope, refresh, revocation and what that ends, who reports the end
FACTS = {
    "facebook_page": (
        "client_secret_post",
        "none",
        "pages_show_list,pages_read_engagement,pages_manage_posts",
        "self_exchange",
        ("adapter", "grant"),
        "meta",
    ),
    "instagram_business": (
        "client_secret_post",
        "none",
        "instagram_basic,instagram_content_publish,pages_show_list,pages_read_engagement",
        "self_exchange",
        ("adapter", "grant"),
        "meta",
    ),
    "threads": (
        "client_secret_post",
        "none",
        "threads_basic,threads_content_publish",
        "self_exchange",
        None,
        "meta",
    ),
}


def test_the_catalogue_says_what_the_platforms_demand() -> None:
    said = {
        one.slug: (
            one.token_endpoint_auth_method,
            one.code_challenge_method,
            one.scope_separator.join(one.scopes),
            one.refresh,
            one.revocation and (one.revocation.kind, one.revocation.blast_radius),
            one.deauthorization,
        )
        for one in SOCIAL
    }
    assert said == FACTS
