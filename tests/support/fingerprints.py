"""A certificate's fingerprint as SDP has it, of no certificate that there is."""

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
