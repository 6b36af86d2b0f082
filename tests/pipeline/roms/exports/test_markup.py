import pytest

from pipeline.roms.exports.markup import Markup, Unreadable, escape


def all_values(data: bytes) -> dict[str, str]:
    markup = Markup(data)
    return {element.tag: markup.value(element) for element in markup.roots[0].children}


@pytest.mark.parametrize(
    "data",
    [
        b"<a/>",
        b'\xef\xbb\xbf<?xml version="1.0"?>\r\n<a  b = "x>y"\tc=\'<!-- no -->\'>\r\n</a >\r\n<!-- end -->',
        "<?xml version='1.0' encoding='utf-16'?><a>\u00e4</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<a>\u00e4</a>".encode("latin-1"),
        "<?xml version='1.0' encoding='Shift_JIS'?>\n<a>\u3042</a>".encode("shift_jis"),
        b"<a><![CDATA[<b>]]><?php <c> ?></a>",
    ],
)
def test_a_file_that_nobody_changes_is_the_same_bytes(data: bytes) -> None:
    if b"c='<!--" in data:
        data = data.replace(b"<!-- no -->", b"&lt;!-- no -->")

    assert Markup(data).encode() == data


def test_the_text_of_elements_is_what_xml_says_of_it() -> None:
    data = (
        b"<r><a>x &amp; &#228;&#xE4; &lt;</a><b><![CDATA[<raw> & ]]>end</b><c>one<!-- two --> three</c>"
        b"<d/><e >4</e ><f x='>'>5\r\n6</f><g><h>7</h>8</g></r>"
    )

    assert all_values(data) == {
        "a": "x & \u00e4\u00e4 <",
        "b": "<raw> & end",
        "c": "one three",
        "d": "",
        "e": "4",
        "f": "5\n6",
        "g": "78",
    }


def test_only_what_is_changed_changes() -> None:
    markup = Markup(b'<r>\r\n  <a x="1" />\r\n  <b>old</b ><!-- c --></r>')
    first, second = markup.roots[0].children

    markup.set_value(first, "one & two\nthree")
    markup.set_value(second, "new")

    assert markup.encode() == b'<r>\r\n  <a x="1">one &amp; two\r\nthree</a>\r\n  <b>new</b ><!-- c --></r>'


def test_what_an_encoding_lacks_is_written_as_a_reference() -> None:
    markup = Markup(b'<?xml version="1.0" encoding="ascii"?><r><a>x</a></r>')

    markup.set_value(markup.roots[0].children[0], "\u00e4\U0001f3ae")

    assert markup.encode().endswith(b"<a>&#228;&#127918;</a></r>")


def test_several_roots_are_read() -> None:
    markup = Markup(b"<?xml version='1.0'?><a>1</a>\n<b><c/></b>")

    assert [root.tag for root in markup.roots] == ["a", "b"]
    assert [child.tag for child in markup.roots[1].children] == ["c"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<a>\n\n<b></a>", 3),
        (b'<?xml version="1.0"?>\n<a>\n&x;</a>', 3),
        (b"<!DOCTYPE a>\n<a/>", 1),
        (b"<a>\n<b>\x00</b></a>", 2),
        (b"<a>\n\xc3</a>", 2),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", 1),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", 1),
        (b"not XML < at all", 1),
        (b"<a b='1' b='2'/>", 1),
        (b"<a><![CDATA[x]]</a>", 1),
    ],
)
def test_what_is_no_xml_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(Unreadable) as raised:
        Markup(data)

    assert raised.value.line == line


def test_entities_that_grow_are_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;">]><a>&y;</a>'

    with pytest.raises(Unreadable, match="DOCTYPE"):
        Markup(bomb)


def test_what_xml_cannot_hold_is_left_out_of_it() -> None:
    assert escape("a\x00\x07b\ud800\ufffe<&>\r\n\tc") == "ab&lt;&amp;&gt;\n\tc"


def test_games_are_found_whatever_is_in_them() -> None:
    plain = b"<l>\n<g><p>1</p><gtime>5</gtime></g><g x='>'/><other><g><p>2</p></g></other><g><g>3</g></g></l>"
    for data in (plain, plain.replace(b"<p>1</p>", b"<p>1</p><!-- <g> -->")):
        markup, slow = Markup(data, "g"), Markup(data)

        assert [
            (each.tag, each.start, each.open_end, each.close_start, each.end) for each in markup.roots[0].children
        ] == [(each.tag, each.start, each.open_end, each.close_start, each.end) for each in slow.roots[0].children]
        assert [child.tag for child in markup.roots[0].children[0].children] == ["p", "gtime"]


def test_fields_that_are_all_plain_are_read_at_once() -> None:
    markup = Markup(
        b"<l><g>\n<a>1 &amp;</a>\r\n<b>x\r\ny</b><a>2</a></g><g><a k='v'>1</a></g><g>text<a>1</a></g><g/></l>"
    )

    assert [markup.plain_fields(game) for game in markup.roots[0].children] == [
        {"a": "1 &", "b": "x\ny"},
        None,
        None,
        {},
    ]
