"""Text of files stays text."""

from fashionkp_mm.report.markup import join, tag, void


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "<b>", tag("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"


def test_attributes_are_escaped():
    assert tag("a", title='"><script>') == '<a title="&quot;&gt;&lt;script&gt;"></a>'


def test_names_of_attributes():
    assert tag("a", class_="x", aria_label="y", id=None) == '<a class="x" aria-label="y"></a>'


def test_void_elements_are_not_closed():
    assert void("img", alt="") == '<img alt="">'


def test_joined_text_is_escaped():
    assert join("<", tag("br")) == "&lt;<br></br>"
