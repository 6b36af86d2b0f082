"""Real servers that take messages, from a distribution's packages: a mail server, an MQTT broker, an IRC server.

They listen on this machine alone, in folders of a test's own. Where a program is missing, its tests are skipped and
say so.
"""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.processes import free_port
from tests.waiting import wait_for

# Whom a mail server lets deliver: none does as root.
NOBODY = pwd.getpwnam("nobody")
CHANNEL = "#loot"


def program(name: str) -> str:
    """Return the path of a program, or skip the test."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


@contextmanager
def _running(command: Sequence[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until the block ends; the block begins once it listens."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(lambda: process.poll() is not None or _listens(port))
            assert process.poll() is None, (folder / "server.log").read_text(errors="replace")
            yield
        finally:
            process.terminate()
            process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class MailServer:
    """Exim, which delivers into a maildir."""

    port: int
    maildir: Path

    @property
    def url(self) -> str:
        """The target's address."""
        return f"mailto://127.0.0.1:{self.port}/?from=loot@example.org&to=ann@example.org&mode=insecure"

    def mails(self) -> list[EmailMessage]:
        """Return the mails that have been delivered."""
        files = sorted((self.maildir / "new").glob("*"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


_EXIM = """\
spool_directory = {folder}/spool
log_file_path = {folder}/exim-%slog
pid_file_path = {folder}/exim.pid
primary_hostname = mail.example.org
domainlist local_domains = example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
acl_smtp_rcpt = recipients
keep_environment =
tls_advertise_hosts =
exim_user = nobody
exim_group = nogroup
begin acl
recipients:
  deny local_parts = nobody-at-all
       message = There is no such mailbox.
  accept domains = +local_domains
begin routers
local:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {folder}/maildir
  maildir_format
  user = nobody
"""


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run Exim until the block ends. It must be started by root, as it takes another user's rights to deliver."""
    exim = program("exim4")
    if os.geteuid():
        pytest.skip("exim4 delivers only where root starts it")
    port = free_port()
    # A test's own folder is closed to everybody else.
    with TemporaryDirectory(prefix="lootwire-exim-") as name:
        folder = Path(name)
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
        configuration = folder / "exim.conf"
        configuration.write_text(_EXIM.format(folder=folder, port=port))
        with _running([exim, "-C", str(configuration), "-bdf", "-q1m"], port, folder):
            yield MailServer(port, folder / "maildir")


@dataclass
class Broker:
    """Mosquitto, and what somebody who listens there has got: topics and texts."""

    port: int
    received: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The target's address."""
        return f"mqtt://127.0.0.1:{self.port}/lootwire/drops?qos=1"


@contextmanager
def mqtt_broker(folder: Path) -> Iterator[Broker]:
    """Run Mosquitto until the block ends, with a client that hears everything."""
    mosquitto, port = program("mosquitto"), free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker, is_listening = Broker(port), []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: broker.received.append(
        (message.topic, message.payload.decode())
    )
    client.on_subscribe = lambda *_: is_listening.append(True)
    with _running([mosquitto, "-c", str(configuration)], port, folder):
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe("#", qos=1)
        wait_for(lambda: is_listening)
        try:
            yield broker
        finally:
            client.disconnect()
            client.loop_stop()


@dataclass
class IrcServer:
    """ngIRCd, and the lines that somebody in the channel has read."""

    port: int
    reader: socket.socket
    _text: bytes = b""

    @property
    def url(self) -> str:
        """The target's address."""
        return f"irc://lootwire@127.0.0.1:{self.port}/{CHANNEL}"

    def lines(self) -> list[str]:
        """Return what was said in the channel until now, answering the server's pings meanwhile."""
        try:
            while data := self.reader.recv(65_536):
                self._text += data
        except BlockingIOError:
            pass
        lines = self._text.decode(errors="replace").split("\r\n")
        said = [line.partition(f"PRIVMSG {CHANNEL} :") for line in lines]
        return [text for _, command, text in said if command]

    def has_joined(self) -> bool:
        """Return whether the reader is in the channel."""
        self.lines()
        return f" 366 reader {CHANNEL}".encode() in self._text


@contextmanager
def irc_server(folder: Path) -> Iterator[IrcServer]:
    """Run ngIRCd until the block ends, with a reader in the channel."""
    ngircd, port = program("ngircd"), free_port()
    configuration = folder / "ngircd.conf"
    configuration.write_text(
        f"[Global]\nName = irc.example.org\nInfo = A test\nListen = 127.0.0.1\nPorts = {port}\nPidFile =\n"
        "ServerUID = nobody\nServerGID = nogroup\nMotdPhrase = Hello\n"
        "[Options]\nIdent = no\nDNS = no\nPAM = no\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n"
    )
    with (
        _running([ngircd, "-n", "-f", str(configuration)], port, folder),
        socket.create_connection(("127.0.0.1", port)) as reader,
    ):
        reader.sendall(f"NICK reader\r\nUSER reader 0 * :Reader\r\nJOIN {CHANNEL}\r\n".encode())
        reader.setblocking(False)
        server = IrcServer(port, reader)
        wait_for(server.has_joined)
        yield server
