"""SIP's sockets: UDP, TCP and TLS around `protocol.sip`, which knows none (RFC 3261, section 18)."""
