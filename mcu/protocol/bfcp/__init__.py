"""BFCP, the Binary Floor Control Protocol (RFC 8855): the server of one floor, and a client of another's. Octets in,
octets and values out.

`message` reads and writes messages, `fragments` and `stream` find them in datagrams and connections, `repeats`
repeats what may be lost, and `end` is what both ends have: `floor` is the server, `participant` the client. SDP about
them is `protocol.sdp.floor`'s.
"""
