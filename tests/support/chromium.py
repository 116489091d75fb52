"""Debian's Chromium, as the tests start it."""

import base64
import hashlib
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

# What people use, window and all, which is not shown.
WHOLE: Final = Path("/usr/bin/chromium")
# The same engine without a window: Debian builds both from one source. To start it costs a third.
ENGINE: Final = Path("/usr/bin/chromium-headless-shell")

# The last two are of the address bar, which nobody sees, and are a third of what a start costs. The others are what
# Playwright turns off: of several such flags only the last counts.
WITHOUT: Final = "--disable-features=" + ",".join(
    (
        "AvoidUnnecessaryBeforeUnloadCheckSync",
        "DestroyProfileOnBrowserClose",
        "HttpsUpgrades",
        "HttpsFirstBalancedModeAutoEnable",
        "LensOverlay",
        "MediaRouter",
        "PaintHolding",
        "ThirdPartyStoragePartitioning",
        "AvoidCorsURLLoaderRestartOnRedirect",
        "OptimizationHints",
        "NetworkTimeServiceQuerying",
        "AimEnabled",
        "PreconnectToSearch",
        "WebUIOmniboxPopup",
        "WebUIOmniboxAimPopup",
    )
)


def trusts(certificate: Path) -> str:
    """A flag: this certificate's key is right, whatever else is wrong with it."""
    key = (
        x509.load_pem_x509_certificate(certificate.read_bytes())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(key).digest()).decode()}"
