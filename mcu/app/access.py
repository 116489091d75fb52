"""Who may use the API, by the settings: the server's own tokens, and an issuer's where one is set."""

from collections.abc import Iterable

from mcu.auth.bearer import Bearer, Issuer
from mcu.auth.keys import SigningKey
from mcu.clock import Clock
from mcu.config import organisations as config
from mcu.config.sections import Auth


def bearer(auth: Auth, organisations: Iterable[config.Organisation], key: SigningKey, clock: Clock) -> Bearer:
    """Who may use the API by these settings."""
    trusted: tuple[Issuer, ...] = ()
    if auth.issuer and auth.jwks_url:
        issuer = Issuer(
            issuer=auth.issuer,
            jwks_url=auth.jwks_url,
            audience=auth.audience,
            organisation_claim=auth.organisation_claim,
        )
        trusted = (issuer,)
    return Bearer(key, clock, trusted=trusted, organisations=frozenset(one.id for one in organisations))
