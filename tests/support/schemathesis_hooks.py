"""What schemathesis does not know by itself: how an SDP offer is sent."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/sdp")
def sdp(_context: Any, value: Any) -> bytes:
    """As the text that it is."""
    return str(value).encode("utf-8", "surrogatepass")
