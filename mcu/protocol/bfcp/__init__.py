"""BFCP, the Binary Floor Control Protocol (RFC 8855): the server of one floor. Octets in, octets and values out.

`message` reads and writes messages, `fragments` and `stream` find them in datagrams and connections, `repeats`
repeats what may be lost, and `floor` is the server. SDP about it is `protocol.sdp.floor`'s.
"""
