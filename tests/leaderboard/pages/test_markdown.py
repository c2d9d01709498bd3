"""The host's Markdown as HTML: what it may hold, and what never becomes a tag or a link."""

from __future__ import annotations

import pytest

from leaderboard.pages.markdown import render_markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n\n## B\n\n##### C", "<h3>A</h3>\n<h4>B</h4>\n<h6>C</h6>\n"),
        ("- **a**\n- `b`", "<ul>\n<li><strong>a</strong></li>\n<li><code>b</code></li>\n</ul>\n"),
        ("[f](https://x.org)", '<p><a href="https://x.org" rel="noreferrer nofollow">f</a></p>\n'),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("a <img src=x onerror=alert(1)> b", "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n"),
        ("[f](javascript:alert(1))", "<p>[f](javascript:alert(1))</p>\n"),
        ("[f](&#106;avascript:alert(1))", "<p>[f](javascript:alert(1))</p>\n"),
        ("[f](data:text/html,x)", "<p>[f](data:text/html,x)</p>\n"),
        ("![p](https://x.org/a.png)", '<p>!<a href="https://x.org/a.png" rel="noreferrer nofollow">p</a></p>\n'),
        (
            '[a](https://x.org "\\"><script>")',
            '<p><a href="https://x.org" title="&quot;&gt;&lt;script&gt;" rel="noreferrer nofollow">a</a></p>\n',
        ),
        (
            "|a|b|\n|-|-|\n|1|2|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n",
        ),
    ],
)
def test_markdown_is_rendered_and_nothing_else_passes(text: str, html: str) -> None:
    assert str(render_markdown(text)) == html
