"""Messages reach servers that other people wrote, as those take and keep them."""

from pathlib import Path

from tests.notifiers.receivers import irc_server, mail_server, mqtt_broker
from tests.notifiers.world import Notifying, full_event
from tests.waiting import wait_for

TITLE = "새 드롭 🎁 Grüße: Rust"


def event(world: Notifying) -> None:
    world.event(TITLE, detail=full_event().detail)


def test_a_mail_server_delivers_a_mail_with_both_of_its_forms_into_a_mailbox(world: Notifying) -> None:
    with mail_server() as server:
        world.target("mail", server.url)
        event(world)
        assert world.deliver().sent == 1
        wait_for(server.mails)
        (mail,) = server.mails()
    assert mail["Subject"] == TITLE
    assert mail["To"].addresses[0].addr_spec == "ann@example.org"
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "Cool hat" in plain.get_content()
    assert "Cool hat" in page.get_content()


def test_a_mailbox_that_a_mail_server_does_not_know_is_final_and_said_in_its_words(
    world: Notifying,
) -> None:
    with mail_server() as server:
        world.target("mail", server.url.replace("to=ann@", "to=nobody-at-all@"))
        event(world)
        world.deliver()
    (delivery,) = world.deliveries()
    assert delivery.state == "dead"
    assert "There is no such mailbox." in delivery.last_error


def test_a_broker_passes_a_message_on_to_who_listens_at_its_topic(world: Notifying, tmp_path: Path) -> None:
    with mqtt_broker(tmp_path) as broker:
        world.target("home", broker.url)
        event(world)
        assert world.deliver().sent == 1
        wait_for(lambda: broker.received)
    ((topic, text),) = broker.received
    assert topic == "lootwire/drops"
    assert text.startswith(TITLE)
    assert "Cool hat" in text


def test_an_irc_server_shows_a_message_in_its_channel_whole(world: Notifying, tmp_path: Path) -> None:
    with irc_server(tmp_path) as server:
        world.target("chat", server.url)
        event(world)
        assert world.deliver().sent == 1
        wait_for(server.lines)
        said = " ".join(server.lines())
    assert TITLE in said
