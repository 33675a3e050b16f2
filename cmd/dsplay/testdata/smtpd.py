"""A mail server that is not ours: aiosmtpd. It wants STARTTLS and a login, and keeps what it gets, one file a message.

Arguments: certificate, key, folder, user, password. It prints its port when it listens.
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

cert, key, folder, user, password = sys.argv[1:]


class Keep:
    async def handle_DATA(self, server, session, envelope):
        name = os.path.join(folder, "%d.eml" % len(os.listdir(folder)))
        with open(name + ".part", "wb") as f:
            f.write(envelope.content)
        os.rename(name + ".part", name)
        return "250 kept"


def judge(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (user, password)
    return AuthResult(success=right and session.ssl is not None, handled=False)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Keep(), hostname="localhost", tls_context=context, require_starttls=True, authenticator=judge, auth_required=True),
        "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
