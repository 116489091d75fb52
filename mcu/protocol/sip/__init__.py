"""SIP (RFC 3261 and what amends it): messages, transactions, dialogs. No socket, no task, no clock.

`message.read` makes a message of bytes, `check.check` says whether it may be acted upon, `stream` cuts a byte stream
into messages, `transactions` repeats and matches, `dialog` keeps what one call's requests have in common.
"""
