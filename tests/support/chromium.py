"""Debian's Chromium, as the tests start it."""

from pathlib import Path
from typing import Final

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
