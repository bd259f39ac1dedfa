"""How many digits a currency has behind the point (ISO 4217)."""

from decimal import Context, Decimal

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
DIGITS = {
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
# As many digits as a column of money holds, and some.
_EXACT = Context(prec=60)


def from_minor_units(amount: Decimal, currency: str) -> Decimal:
    """Return an amount that was told in the currency's smallest unit: 500 are 5.00 EUR, 500 JPY."""
    return amount.scaleb(-DIGITS.get(currency.upper(), 2), context=_EXACT)
