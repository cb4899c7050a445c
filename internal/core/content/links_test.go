package content_test

import (
	"strings"
	"testing"

	"rapport/internal/core/content"
)

func TestOnlyWebLinksAreRewritten(t *testing.T) {
	t.Parallel()
	const unsubscribe = "https://news.shop.example/u/abc"
	source := `<html><head><style>a{background:url(https://cdn.example/a)}</style><title><a href="https://title.example/"></title></head><body>
<!-- <a href="https://comment.example/">x</a> --><!--[if mso]><a href="https://mso.example/">x</a><![endif]-->
<a class="b" href="https://shop.example/?a=b&amp;c=d#e" title='x'>one</a><A HREF='HTTP://shop.example/2'>two</A><a href=https://shop.example/3>three</a><a href = " https://shop.example/4 ">four</a>
<a href="mailto:a@b.example">m</a><a href="tel:+44">t</a><a href="#top">top</a><a href="/path">p</a><a name="x">x</a><a href="javascript:x">j</a>
<a href="` + unsubscribe + `">out</a><img src="https://cdn.example/1.jpg"><area href="https://shop.example/5"><a href="https://shop.example/6" href="https://second.example/">six</a><a href=""></a></body></html>`
	var asked []string
	got := content.Links(source, func(url string) string {
		asked = append(asked, url)
		if strings.HasSuffix(url, "/3") {
			return url
		}
		return `https://click.example/"` + "<" + string(rune('0'+len(asked)))
	}, unsubscribe)
	want := "https://shop.example/?a=b&c=d#e HTTP://shop.example/2 https://shop.example/3 https://shop.example/4 https://shop.example/5 https://shop.example/6"
	if strings.Join(asked, " ") != want {
		t.Errorf("asked about %v, want %s", asked, want)
	}
	for _, piece := range []string{
		`<a class="b" href="https://click.example/%22%3C1" title='x'>one</a><A HREF='https://click.example/%22%3C2'>two</A><a href=https://shop.example/3>three</a><a href = "https://click.example/%22%3C4">four</a>`,
		`<a href="` + unsubscribe + `">out</a><img src="https://cdn.example/1.jpg"><area href="https://click.example/%22%3C5"><a href="https://click.example/%22%3C6" href="https://second.example/">six</a><a href=""></a>`,
		`<!-- <a href="https://comment.example/">x</a> -->`, `<title><a href="https://title.example/"></title>`, `url(https://cdn.example/a)`, `href="https://mso.example/"`, `<a href="javascript:x">j</a>`,
	} {
		if !strings.Contains(got, piece) {
			t.Errorf("%s is not in\n%s", piece, got)
		}
	}
	if same := content.Links(source, func(u string) string { return u }); same != source {
		t.Error("a message whose links stay was changed")
	}
	for _, broken := range []string{"<a href=", `<a href="https://x.example/`, "<", "<!--", "<a", "</", "<a href='https://x.example/'", ""} {
		if got := content.Links(broken, func(string) string { return "https://y.example/" }); got != broken {
			t.Errorf("%q became %q", broken, got)
		}
	}
}

// Item 42: without consent to tracking the caller leaves Links, Pixel and Trap
// out, and what is rendered is the same for everybody but for what the template
// itself says.
func TestItem42WithoutTrackingNothingIsPersonal(t *testing.T) {
	t.Parallel()
	const body = `<html><body><a href="https://shop.example/p/1">Look</a></body></html>`
	render := func(delivery string, track bool) string {
		c, err := content.Compile("x", content.Sources{HTML: body})
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Render(content.Vars{"delivery": delivery}, content.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if track {
			out.HTML = content.Links(out.HTML, func(u string) string { return "https://news.shop.example/c/" + delivery })
			out.HTML = content.Trap(content.Pixel(out.HTML, "https://news.shop.example/o/"+delivery), "https://news.shop.example/c/h"+delivery)
		}
		return out.HTML
	}
	if a, b := render("a1", false), render("b2", false); a != b || a != body {
		t.Errorf("without tracking the bytes are personal:\n%s\n%s", a, b)
	}
	got := render("a1", true)
	if n := strings.Count(got, "a1"); n != 3 || !strings.HasSuffix(got, `</a></body></html>`) || strings.Contains(got, "p/1") {
		t.Errorf("with tracking: %s", got)
	}
}

func TestHTMLBecomesText(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<p>Hi&nbsp;Ada,</p><p>one<br>two   three
four</p>`: "Hi Ada,\n\none\ntwo three four\n",
		`<html><head><title>t</title><style>p{}</style></head><body><h1>Big</h1><div>a</div><div>b</div></body></html>`:                                                                     "Big\n===\n\na\nb\n",
		`<ul><li>one</li><li>two <b>bold</b></li></ul><p>end</p>`:                                                                                                                           "- one\n- two bold\n\nend\n",
		`<a href="https://shop.example/?a=1&amp;b=2">Look</a> and <a href="https://b.example/">https://b.example/</a> <a href="#x">here</a> <a href="https://c.example/"><img src="x"></a>`: "Look (https://shop.example/?a=1&b=2) and https://b.example/ here\n",
		`<table><tr><td>Lamp</td><td>£12</td></tr><tr><td>Shade</td><td>£3</td></tr></table>`:                                                                                               "Lamp | £12\nShade | £3\n",
		`<div style="display: none"><div>hidden</div> <b>x</b></div>shown<script>alert("</p>")</script><!-- c --> &lt;b&gt; &amp;`:                                                          "shown <b> &\n",
		`<!--[if mso]><p>Outlook</p><![endif]-->all<!--[if !mso]><!--> others<!--<![endif]-->`:                                                                                              "all others\n",
		``: "", `plain`: "plain\n", `a < b`: "a < b\n", `<p>cut <a href="https://x.example`: "cut <a href=\"https://x.example\n",
	} {
		if got := content.Plain(source); got != want {
			t.Errorf("%s\n = %q\nwant %q", source, got, want)
		}
	}
}

func FuzzReadersOfHTML(f *testing.F) {
	for _, s := range []string{`<a href="https://x.example/">x</a>`, "<!--[if mso]><a><![endif]-->", "<style>", "<a href=", "</", "<p/x=>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		content.Plain(s)
		if got := content.Links(s, func(u string) string { return u }); got != s {
			t.Errorf("%q became %q", s, got)
		}
		content.Pixel(s, "https://x.example/")
	})
}
