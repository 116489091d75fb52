"""Debian's Chromium, as the tests start it."""

PATH = "/usr/bin/chromium"

# The last two are of the address bar, which nobody sees, and are most of what a start costs. The others are what
# Playwright turns off: of several such flags only the last counts.
WITHOUT = (
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
)
