package email_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// parts is a mail as a reader that is not ours understands it.
type parts struct {
	header     mail.Header
	text, html string
}

func read(t interface {
	Helper()
	Fatalf(string, ...any)
}, data []byte,
) parts {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the mail cannot be read: %v\n%s", err, data)
	}
	p := parts{header: m.Header}
	take := func(header func(string) string, body io.Reader) {
		switch e := header("Content-Transfer-Encoding"); e {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		case "7bit":
		default:
			t.Fatalf("encoding %q", e)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatalf("decoding: %v", err)
		}
		if strings.HasPrefix(header("Content-Type"), "text/html") {
			p.html = string(b)
		} else {
			p.text = string(b)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("media type: %v", err)
	}
	if kind != "multipart/alternative" {
		take(m.Header.Get, m.Body)
		return p
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return p
		}
		if err != nil {
			t.Fatalf("parts: %v", err)
		}
		take(part.Header.Get, part)
	}
}

func compose(t *testing.T, m channels.Message) email.Mail {
	t.Helper()
	got, err := email.Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAMailSaysWhatTheMessageSays(t *testing.T) {
	t.Parallel()
	m := channeltest.Message(7)
	m.From.Name, m.To.Name = `Müller & "Söhne"`, `Ada "the" Lovelace\`
	m.ReplyTo = channels.Party{Name: "Help", Address: "help@shop.example"}
	m.Subject = "Grüße 🎁 " + strings.Repeat("und noch mehr Wörter ", 10) + "Ende"
	m.Text = "Grüße\n.\n..\n.dot at the start\nlast = line \t\n" + strings.Repeat("lang ", 100)
	m.HTML = "<p>.</p>\r\n.<b>dot</b>\n" + strings.Repeat("x", 3000)
	m.Bounce = "b+1234@bounce.shop.example"
	got := compose(t, m)
	p := read(t, got.Data)
	dec := mime.WordDecoder{}
	if s, err := dec.DecodeHeader(p.header.Get("Subject")); err != nil || s != m.Subject {
		t.Errorf("subject = %q, %v", s, err)
	}
	for _, c := range []struct {
		header string
		want   channels.Party
	}{{"From", m.From}, {"To", m.To}, {"Reply-To", m.ReplyTo}} {
		a, err := mail.ParseAddress(p.header.Get(c.header))
		if err != nil || a.Name != c.want.Name || a.Address != c.want.Address {
			t.Errorf("%s = %v, %v; want %v", c.header, a, err, c.want)
		}
	}
	lf := strings.NewReplacer("\r\n", "\n")
	if got, want := lf.Replace(p.text), lf.Replace(m.Text); got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
	if got, want := lf.Replace(p.html), lf.Replace(m.HTML); got != want {
		t.Errorf("html = %q, want %q", got, want)
	}
	if at, err := p.header.Date(); err != nil || !at.Equal(m.Date.Time()) {
		t.Errorf("date = %v, %v", at, err)
	}
	if got.From.String() != m.Bounce || got.To.String() != m.To.Address || p.header.Get("Message-Id") != "<"+m.Delivery+"@shop.example>" || got.ID != p.header.Get("Message-Id") {
		t.Errorf("envelope %s, %s, id %s / %s", got.From, got.To, got.ID, p.header.Get("Message-Id"))
	}
	if p.header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Error("the way out is missing")
	}
	if !bytes.Equal(got.Data, compose(t, m).Data) {
		t.Error("the same message gave other bytes")
	}
}

func TestItem31ANameNeverBecomesAHeader(t *testing.T) {
	t.Parallel()
	const evil = "A\r\nBcc: x@evil.example\r\n\r\n<script>\u2028\u0085x\x00\x1b"
	m := channeltest.Message(1)
	m.From.Name, m.To.Name, m.Subject = evil, evil, evil
	m.ReplyTo = channels.Party{Name: evil, Address: "help@shop.example"}
	data := compose(t, m).Data
	p := read(t, data)
	if p.header.Get("Bcc") != "" || bytes.Contains(data, []byte("\nBcc")) {
		t.Fatalf("a name became a header:\n%s", data)
	}
	for _, h := range []string{"From", "To", "Reply-To"} {
		list, err := p.header.AddressList(h)
		if err != nil || len(list) != 1 || list[0].Name != "A Bcc: x@evil.example <script> x" {
			t.Errorf("%s = %+v, %v", h, list, err)
		}
	}
	// The same in the letters that need encoding, and with an encoded word that a
	// person wrote into her name.
	for _, name := range []string{"Ä\r\nBcc: x@evil.example", "=?utf-8?q?A=0D=0ABcc:_x@evil.example?=", "\xff\r\nBcc: x@evil.example"} {
		m.To.Name = name
		data := compose(t, m).Data
		if p := read(t, data); p.header.Get("Bcc") != "" || bytes.Contains(data, []byte("\nBcc")) {
			t.Errorf("%q became a header:\n%s", name, data)
		}
	}
	m.To.Name = "=?utf-8?q?Eve?="
	if a, err := read(t, compose(t, m).Data).header.AddressList("To"); err != nil || a[0].Name != "=?utf-8?q?Eve?=" {
		t.Errorf("an encoded word in a name was obeyed: %v, %v", a, err)
	}
}

func TestItem32AnAddressThatIsNoneIsNotComposed(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a@b.example\r\nBcc: e@x.example", "a@b@c", `"a b"@c.example`, "a@[127.0.0.1]", strings.Repeat("a", 65) + "@b.example", ""} {
		for _, set := range []func(*channels.Message){
			func(m *channels.Message) { m.To.Address = bad },
			func(m *channels.Message) { m.From.Address = bad },
			func(m *channels.Message) { m.ReplyTo.Address = bad },
			func(m *channels.Message) { m.Bounce = bad },
		} {
			m := channeltest.Message(1)
			set(&m)
			if m.To.Address != "" && m.From.Address != "" && bad == "" {
				continue // an empty Reply-To or Bounce means none
			}
			if mail, err := email.Compose(&m); !fault.Is(err, fault.Invalid) || mail.Data != nil {
				t.Errorf("%q: %v, want Invalid", bad, err)
			}
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*channels.Message) {
		return func(m *channels.Message) { m.Headers = append(m.Headers, channels.Header{Name: name, Value: value}) }
	}
	way := func(link, post string) func(*channels.Message) {
		return func(m *channels.Message) {
			m.Headers = []channels.Header{{Name: "List-Unsubscribe", Value: link}, {Name: "List-Unsubscribe-Post", Value: post}}
		}
	}
	const click = "List-Unsubscribe=One-Click"
	for _, c := range []struct {
		name string
		set  func(*channels.Message)
		want fault.Kind
	}{
		{"marketing without a way out", func(m *channels.Message) { m.Headers = nil }, fault.Invalid},
		{"marketing with half a way out", func(m *channels.Message) { m.Headers = m.Headers[:1] }, fault.Invalid},
		{"a way out by mail only", way("<mailto:u@shop.example>", click), fault.Invalid},
		{"a way out without encryption", way("<http://shop.example/u/1>", click), fault.Invalid},
		{"two web links", way("<https://shop.example/u/1>, <https://shop.example/u/2>", click), fault.Invalid},
		{"a link without brackets", way("https://shop.example/u/1", click), fault.Invalid},
		{"a post that is not one click", way("<https://shop.example/u/1>", "yes"), fault.Invalid},
		{"a header twice", header("list-unsubscribe", "<https://shop.example/u/1>"), fault.Invalid},
		{"a second From", header("From", "eve@x.example"), fault.Invalid},
		{"Bcc", header("bcc", "eve@x.example"), fault.Invalid},
		{"a content header", header("Content-Disposition", "attachment"), fault.Invalid},
		{"a header name with a colon", header("X:Y", "1"), fault.Invalid},
		{"a header name with CRLF", header("X\r\nBcc", "1"), fault.Invalid},
		{"a header value with CRLF", header("X-Y", "1\r\nBcc: eve@x.example"), fault.Invalid},
		{"a header value with a letter outside ASCII", header("X-Y", "é"), fault.Invalid},
		{"an id that is none", func(m *channels.Message) { m.Delivery = "x" }, fault.Invalid},
		{"a Message-ID with CRLF", func(m *channels.Message) { m.MessageID = "<a@b\r\nBcc: x>" }, fault.Invalid},
		{"a Message-ID without brackets", func(m *channels.Message) { m.MessageID = "a@b" }, fault.Invalid},
		{"no date", func(m *channels.Message) { m.Date = 0 }, fault.Invalid},
		{"no body", func(m *channels.Message) { m.HTML, m.Text = "", "" }, fault.Invalid},
		{"a NUL", func(m *channels.Message) { m.HTML = "a\x00b" }, fault.Invalid},
		{"5 MB of HTML", func(m *channels.Message) { m.HTML = strings.Repeat("x", 5<<20) }, fault.TooLarge},
		{"an endless subject", func(m *channels.Message) { m.Subject = strings.Repeat("x", 5000) }, fault.Invalid},
		{"an endless name", func(m *channels.Message) { m.To.Name = strings.Repeat("x", 5000) }, fault.Invalid},
	} {
		m := channeltest.Message(1)
		c.set(&m)
		if _, err := email.Compose(&m); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestComposeTakes(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*channels.Message){
		"a service message without a way out": func(m *channels.Message) { m.Service, m.Headers = true, nil },
		"a web link beside a mail link": func(m *channels.Message) {
			m.Headers[0].Value = "<mailto:u@shop.example>, <https://shop.example/u/1>"
		},
		"a link to this machine":    func(m *channels.Message) { m.Headers[0].Value = "<http://127.0.0.1:8080/u/1>" },
		"text alone":                func(m *channels.Message) { m.HTML = "" },
		"HTML alone":                func(m *channels.Message) { m.Text = "" },
		"no subject":                func(m *channels.Message) { m.Subject = "" },
		"an id of the caller's own": func(m *channels.Message) { m.MessageID = "<order.7@shop.example>" },
	} {
		m := channeltest.Message(1)
		set(&m)
		if _, err := email.Compose(&m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A part that holds the boundary's line must not end the part.
func TestABoundaryInTheTextDoesNotEndIt(t *testing.T) {
	t.Parallel()
	m := channeltest.Message(1)
	m.Text = "before\r\n--=_" + m.Delivery + "--\r\nafter"
	if p := read(t, compose(t, m).Data); p.text != m.Text || p.html != m.HTML {
		t.Fatalf("text = %q, html = %q", p.text, p.html)
	}
}

func TestEveryMailIsWellFormedAndReadsBack(t *testing.T) {
	t.Parallel()
	// Letters that are hard for one of the encodings, and any others.
	body := rapid.Custom(func(t *rapid.T) string {
		unit := rapid.OneOf(rapid.SampledFrom([]string{".", "\r\n.", "\n", "\r", " ", "\t", "=", "é", "日本", "🎁", "--", "=_", "From ", strings.Repeat("x", 80)}), rapid.StringN(0, 20, 60))
		return strings.ReplaceAll(strings.Join(rapid.SliceOfN(unit, 1, 40).Draw(t, "units"), ""), "\x00", "") + "!"
	})
	rapid.Check(t, func(t *rapid.T) {
		m := channeltest.Message(rapid.IntRange(0, 1000).Draw(t, "n"))
		m.Subject, m.To.Name = rapid.StringN(0, 60, 200).Draw(t, "subject"), rapid.StringN(0, 40, 150).Draw(t, "name")
		m.HTML, m.Text = body.Draw(t, "html"), body.Draw(t, "text")
		m.Date = event.At(time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "date"), 0))
		got, err := email.Compose(&m)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.SplitAfter(strings.TrimSuffix(string(got.Data), "\r\n"), "\r\n") {
			line = strings.TrimSuffix(line, "\r\n")
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || !isASCII(line) {
				t.Fatalf("the line %q may not be sent", line)
			}
		}
		head, _, _ := strings.Cut(string(got.Data), "\r\n\r\n")
		for _, line := range strings.Split(head, "\r\n") {
			if strings.TrimSpace(line) == "" {
				t.Fatalf("the header has an empty line:\n%s", head)
			}
		}
		p := read(t, got.Data)
		lf := func(s string) string {
			return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
		}
		if lf(p.text) != lf(m.Text) || lf(p.html) != lf(m.HTML) {
			t.Fatalf("text %q became %q;\nhtml %q became %q", m.Text, p.text, m.HTML, p.html)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject"))
		if err != nil || strings.Join(strings.FieldsFunc(subject, blank), " ") != strings.Join(strings.FieldsFunc(m.Subject, blank), " ") {
			t.Fatalf("subject %q became %q, %v", m.Subject, subject, err)
		}
		if list, err := p.header.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != m.To.Address {
			t.Fatalf("To = %v, %v", list, err)
		}
	})
}

func blank(r rune) bool { return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' || r < ' ' && r != '\t' })
}

func BenchmarkCompose(b *testing.B) {
	m := channeltest.Message(1)
	m.HTML = strings.Repeat("<p>Three weeks ago you looked at the blue plimsolls, size 38. They are back.</p>\n", 120)
	m.Text = strings.Repeat("Three weeks ago you looked at the blue plimsolls, size 38.\n", 40)
	for _, c := range []struct{ name, add string }{{"ascii", ""}, {"quoted-printable", "£30"}} {
		m := m
		m.HTML += c.add
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := email.Compose(&m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
