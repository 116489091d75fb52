"""SDP (RFC 8866) and what SIP does with it: offers and answers (RFC 3264), keys (RFC 4568). Text in, values out.

`description` reads and writes any SDP, `codecs` what its formats mean, `crypto` its keys, `exchange` decides what two
sides have in common. Browsers' SDP is `media.transport`'s, by aiortc.
"""
