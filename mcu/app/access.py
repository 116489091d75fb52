"""Who may use the API, by the settings: the server's own tokens, and an issuer's where one is set."""

from mcu.auth.bearer import Bearer, Issuer
from mcu.auth.keys import SigningKey
from mcu.clock import Clock
from mcu.config.sections import Auth


def bearer(settings: Auth, key: SigningKey, clock: Clock) -> Bearer:
    """Who may use the API by these settings."""
    trusted: tuple[Issuer, ...] = ()
    if settings.issuer and settings.jwks_url:
        trusted = (Issuer(issuer=settings.issuer, jwks_url=settings.jwks_url, audience=settings.audience),)
    return Bearer(key, clock, trusted=trusted)
