"""Wire formats, without input, output or a clock: bytes and `now` in, events and bytes out."""
