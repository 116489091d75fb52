"""BFCP's sockets (RFC 8855): `server` has them, `line` is one call's floor at them.

`connection` and `datagrams` are the ways that messages come by, in the clear or by TLS and DTLS, and `certificate` is
what we show who knows us by its fingerprint alone.
"""
