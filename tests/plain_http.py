"""For clients of local servers, none of which speaks TLS."""

import ssl

# httpx otherwise reads every certificate of the machine for each client, 20 ms of work.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
