"""Which of Apprise's services may be a target: those that talk to a network and read no files of ours. Data only."""

# An allow-list, so that a service that a later Apprise adds is refused until a person has looked at it.
# Left out on purpose: what opens something on this computer (LOCAL_SCHEMES) and what works with key files
# on disk (vapid, fcm, deltachat).
ALLOWED_SCHEMES = frozenset(
    """
    46elks amqp amqps apprise apprises aprs atalk azure bark barks betterstack bluesky brevo bsky bulksms bulkvs
    burstsms chanify clickatell clicksend cliq cm d7sms dapnet dingtalk discord dot eight00com elks emby embys
    enigma2 enigma2s evolution evolutions exotel feishu firehydrant flock flowtriq flowtriqs fluxer fluxers form
    forms freemobile gchat github goalert goalerts gorush gorushs gotify gotifys groundmail groupme growl guilded
    gupshup hassio hassios httpsms humhub humhubs ifttt ilert incidentio infobip irc ircs jellyfin jellyfins jira
    join json jsons kakao kakaotalk kaleyra kavenegar klr kodi kodis kook kudosity kumulos lametric lametrics lark
    lauther lfg line mailersend mailgun mailto mailtos mastodon mastodons matrix matrixs misskey misskeys mmost
    mmosts mobilemessage mobilemsg mqtt mqtts msg91 msgbird ncloud nclouds nctalk nctalks nexmo nostr notica
    noticas notifiarr notifico notificos notifyre ntfy ntfys o365 octopush onebot onebots onesignal opsgenie
    pagerduty pagertree parsep parseps pbul pinglet pinglets pingram pjet pjets plivo postmark pover prowl psafer
    psafers push pushdeer pushdeers pushed pushme pushplus pushward pushy qq reddit resend revolt ringc rocket
    rockets rsyslog ryver schan sendgrid sendpulse serwersms ses session sessions seven sfr signal signalgrid
    signals signl4 simplepush sinch slack smpp smpps smsc smseagle smseagles smsmanager smsmgr smstunnel smtp2go
    sns sogs sparkpost spike splunk spugpush spush squadcast stackfield strmlabs synology synologys telesign telnyx
    tgram threema toot toots trigv trigvs tweet twilio twist twitter viber victorops voipms vonage webex wechat
    wecom wecombot whapi whatsapp workflow workflows wpush wxpusher wxteams x xbmc xbmcs xmatters xml xmls xmpp
    xmpps youlmk zalo zcliq zohocliq zoom zulip
    """.split()  # noqa: SIM905  one a line would be 240 lines
)

LOCAL_SCHEMES = frozenset(
    {"blink1", "dbus", "file", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"}
)

# Options of an address that we refuse, each with the reason that the error gives.
REFUSED_OPTIONS = {
    "attach": "it would attach a file",
    "file_url": "it would attach a file",
    "template": "it would open a template file",
    "keyfile": "it would open a key file",
    "subfile": "it would open a file",
    "pgp": "it works with key files",
    "pgppub": "it would open a key file",
    "pgpprv": "it would open a key file",
    "wkd": "it would look for keys on other servers",
    "redirect": "messages are never sent on to another address",
    "optional": "a message that was not taken would count as sent",
    "cc": "one target has one recipient; add a target for each",
    "bcc": "one target has one recipient; add a target for each",
}

# They speak neither HTTP nor SMTP, so neither their answers nor a rest that they ask for can be heard.
OWN_PROTOCOLS = frozenset(
    {"amqp", "amqps", "aprs", "growl", "irc", "ircs", "mqtt", "mqtts", "rsyslog", "smpp", "smpps", "xmpp", "xmpps"}
)

MAIL_SCHEMES = frozenset({"mailto", "mailtos"})

# They read Markdown in whatever they are sent, also in a title, so plain text could read as markup.
MARKDOWN_SCHEMES = frozenset({"discord", "guilded"})

# They show a backslash that escapes Markdown, or read no escape inside an emphasis, each with what they get instead.
# Slack: https://api.slack.com/reference/surfaces/formatting knows &amp;, &lt; and &gt; alone. Google Chat:
# https://developers.google.com/workspace/chat/format-messages. Rocket.Chat: packages/message-parser/src/grammar.pegjs.
# Telegram: https://core.telegram.org/bots/api#markdown-style. Zalo documents none.
INSTEAD_OF_MARKDOWN = {
    "gchat": "text",
    "rocket": "text",
    "rockets": "text",
    "slack": "text",
    "tgram": "html",
    "zalo": "text",
}

# They take fields of ours beside the message, and so get the events themselves.
EVENT_SCHEMES = frozenset({"form", "forms", "json", "jsons", "xml", "xmls"})

# They put the title before the body themselves, unescaped.
MERGING_SCHEMES = frozenset({"discord", "guilded", "fluxer", "fluxers"})

# The host in their addresses is a server's name and never a topic or token.
HOST_SCHEMES = frozenset({"form", "forms", "gotify", "gotifys", "json", "jsons", "mailto", "mailtos", "xml", "xmls"})
