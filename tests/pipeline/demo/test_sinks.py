import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import httpx
import pytest

from pipeline.demo.sinks import MAX_BYTES, MAX_KEPT, Mail, MailSink, WebhookSink, _Inbox
from tests.plain_http import NO_CERTIFICATES


@pytest.fixture
def mailbox() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def hooks() -> Iterator[WebhookSink]:
    with WebhookSink() as sink:
        yield sink


def written(subject: str = "Loot & 달빛", text: str = "Watch for an hour.\n") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Lootwire <loot@demo.example>"
    message["To"] = "someone@home.example"
    message.set_content(text)
    return message


def post(sink: WebhookSink, **content: object) -> int:
    return httpx.post(
        f"{sink.url}/hook?x=1", json=content, trust_env=False, timeout=60, verify=NO_CERTIFICATES
    ).status_code


def test_a_mail_with_two_bodies_arrives_parsed(mailbox: MailSink) -> None:
    message = written()
    message.add_alternative("<p>Watch for <b>an hour</b>.</p>\n", subtype="html")
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=60) as client:
        client.send_message(message)
    [mail] = mailbox.wait_for(1)
    assert (mail.subject, mail.sender, mail.to) == ("Loot & 달빛", "loot@demo.example", ("someone@home.example",))
    assert mail.text == "Watch for an hour.\n"
    assert mail.html == "<p>Watch for <b>an hour</b>.</p>\n"
    assert mail.raw.startswith(b"Subject: ")
    assert mailbox.messages == [mail]


def test_a_mail_without_html_has_an_empty_html(mailbox: MailSink) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=60) as client:
        client.send_message(written())
    assert mailbox.wait_for(1)[0].html == ""


def test_any_user_and_password_may_send_without_tls(mailbox: MailSink) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=60) as client:
        client.login("anyone", "anything")
        client.send_message(written("signed in"))
    assert mailbox.wait_for(1)[0].subject == "signed in"


def test_several_mails_of_one_connection_arrive_in_order(mailbox: MailSink) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=60) as client:
        for number in range(3):
            client.send_message(written(f"number {number}"))
    assert [mail.subject for mail in mailbox.wait_for(3)] == ["number 0", "number 1", "number 2"]


def test_a_mail_that_is_too_long_is_refused(mailbox: MailSink) -> None:
    with (
        smtplib.SMTP(mailbox.host, mailbox.port, timeout=60) as client,
        pytest.raises(smtplib.SMTPSenderRefused, match="552"),
    ):
        client.sendmail("a@demo.example", "b@home.example", b"x" * (MAX_BYTES + 1))
    assert mailbox.messages == []


def test_waiting_for_mail_that_never_comes_says_how_many_came(mailbox: MailSink) -> None:
    with pytest.raises(TimeoutError, match="0 of 1 messages"):
        mailbox.wait_for(1, timeout=0)


def test_two_mailboxes_have_two_ports(mailbox: MailSink) -> None:
    with MailSink() as other:
        assert 0 != other.port != mailbox.port != 0


def test_an_inbox_forgets_the_oldest_and_still_counts_them() -> None:
    inbox: _Inbox[Mail] = _Inbox()
    for number in range(MAX_KEPT + 1):
        inbox.add(Mail(str(number), "", (), "", "", b""))
    kept = inbox.wait_for(MAX_KEPT + 1, timeout=0)
    assert (len(kept), kept[0].subject) == (MAX_KEPT, "1")


def test_a_webhook_is_kept_with_its_path_headers_and_json(hooks: WebhookSink) -> None:
    assert post(hooks, title="Loot & 달빛") == 200
    [hook] = hooks.wait_for(1)
    assert (hook.path, hook.json, hook.status) == ("/hook?x=1", {"title": "Loot & 달빛"}, 200)
    assert hook.headers["content-type"] == "application/json"


def test_a_body_that_is_not_json_is_kept_as_it_is(hooks: WebhookSink) -> None:
    httpx.post(hooks.url, content=b"\xff plain", trust_env=False, timeout=60, verify=NO_CERTIFICATES).raise_for_status()
    [hook] = hooks.wait_for(1)
    assert (hook.body, hook.json) == (b"\xff plain", None)


def test_the_next_requests_fail_as_told_and_the_one_after_is_taken(hooks: WebhookSink) -> None:
    hooks.fail_next(2, 500)
    hooks.fail_next(1, 429)
    assert [post(hooks, number=number) for number in range(4)] == [500, 500, 429, 200]
    assert [hook.json["number"] for hook in hooks.wait_for(1)] == [3]
    assert [(hook.json["number"], hook.status) for hook in hooks.refused] == [(0, 500), (1, 500), (2, 429)]


def test_failures_are_shared_out_exactly_among_requests_at_the_same_time(hooks: WebhookSink) -> None:
    hooks.fail_next(5, 503)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: post(hooks, number=number), range(20)))
    assert sorted(statuses) == [200] * 15 + [503] * 5
    assert len(hooks.messages) == 15


def test_waiting_for_webhooks_does_not_count_refused_ones(hooks: WebhookSink) -> None:
    hooks.fail_next(1)
    assert post(hooks) == 503
    with pytest.raises(TimeoutError, match="0 of 1 messages"):
        hooks.wait_for(1, timeout=0)
