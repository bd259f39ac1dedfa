"""QR codes in a terminal."""

# Two modules, one above the other, in one character. Light ones are drawn, since most terminals
# are dark.
_HALVES = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}


def qr_code(text: str) -> str:
    """Return a text's QR code as lines of block characters."""
    import segno  # Only who sets up a second factor needs it.

    rows = [tuple(row) for row in segno.make(text, error="l").matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append((1,) * len(rows[0]))
    return "\n".join(
        "".join(_HALVES[upper, lower] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    )
