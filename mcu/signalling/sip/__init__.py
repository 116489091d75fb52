"""SIP's front end: telephones and room systems come in and are called, on the same rooms and rules as browsers."""
