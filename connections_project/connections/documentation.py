"""What the OpenAPI document says in the same words of each app's connections."""

from drf_spectacular.utils import OpenApiParameter

CALLBACK_PARAMETERS = [
    OpenApiParameter("state", str, required=True, description="As it came back."),
    OpenApiParameter("code", str, description="As it came back; required without `error`."),
    OpenApiParameter("error", str, description="As it came back (RFC 6749, section 4.1.2.1)."),
    OpenApiParameter("iss", str, description="As it came back, if it did (RFC 9207)."),
]


def help_link(whose: str, *statuses: int) -> OpenApiParameter:
    """Describe the `Link` of a disconnect's answers.

    Args:
        whose: What the app calls a platform: "provider".
        statuses: Those of the answers that bear it.
    """
    return OpenApiParameter(
        "Link",
        str,
        OpenApiParameter.HEADER,
        response=list(statuses),
        description=f'`<…>; rel="help"`: where to remove the app by hand, since the {whose} has no '
        "usable revocation.",
    )
