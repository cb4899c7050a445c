package mailcatcher_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
)

func open(t *testing.T, o mailcatcher.Options) *mailcatcher.Catcher {
	t.Helper()
	c, err := mailcatcher.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return c
}

// peer speaks SMTP by hand, so that it can speak it wrongly.
type peer struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, c *mailcatcher.Catcher) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	p := &peer{t, nc, bufio.NewReader(nc)}
	p.answer()
	p.say("EHLO test")
	return p
}

func (p *peer) answer() string {
	p.t.Helper()
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return "closed"
		}
		if len(line) < 4 || line[3] != '-' {
			return strings.TrimSpace(line)
		}
	}
}

func (p *peer) say(line string) string {
	p.t.Helper()
	fmt.Fprintf(p, "%s\r\n", line)
	return p.answer()
}

// send sends a message as it stands, dot and all, and returns the last answer.
func (p *peer) send(to, raw string) string {
	p.t.Helper()
	p.say("MAIL FROM:<shop@shop.example>")
	if a := p.say("RCPT TO:<" + to + ">"); !strings.HasPrefix(a, "2") {
		return a
	}
	p.say("DATA")
	fmt.Fprint(p, raw)
	return p.answer()
}

const head = "From: Shop <shop@shop.example>\r\nTo: ada@people.example\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\nSubject: =?utf-8?q?Sch=C3=B6n?=\r\n"

func TestItChecksWhatAStrictReceiverChecks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, raw, want string }{
		{"a good mail", head + "\r\nHello\r\n.\r\n", "250"},
		{"a stuffed dot", head + "\r\n..hidden\r\n.\r\n", "250"},
		{"a dot that is not stuffed", head + "\r\n.hidden\r\n.\r\n", "550 5.6.0 a line begins with a dot"},
		{"a bare LF", head + "\r\nHello\nyou\r\n.\r\n", "550 5.6.0 a line ends in a bare LF"},
		{"a bare CR", head + "\r\nHello\ryou\r\n.\r\n", "550 5.6.0 there is a bare CR"},
		{"a NUL", head + "\r\nHello\x00you\r\n.\r\n", "550 5.6.0 there is a NUL"},
		{"998 octets", head + "\r\n" + strings.Repeat("x", 998) + "\r\n.\r\n", "250"},
		{"999 octets", head + "\r\n" + strings.Repeat("x", 999) + "\r\n.\r\n", "550 5.6.0 a line is longer"},
		{"no Date", strings.Replace(head, "Date:", "X-Date:", 1) + "\r\nHello\r\n.\r\n", "550 5.6.0 the header Date"},
		{"two From", "From: a@b.example\r\n" + head + "\r\nHello\r\n.\r\n", "550 5.6.0 the header From"},
		{"no Message-ID", strings.Replace(head, "Message-ID:", "X-ID:", 1) + "\r\nHello\r\n.\r\n", "550 5.6.0 the header Message-ID"},
		{"a header without a name", head + "nonsense\r\n\r\nHello\r\n.\r\n", "550 5.6.0 a header line has no name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			catcher := open(t, mailcatcher.Options{})
			got := dial(t, catcher).send("ada@people.example", c.raw)
			if !strings.HasPrefix(got, c.want) {
				t.Fatalf("answer %q, want %q", got, c.want)
			}
			kept := 0
			if c.want == "250" {
				kept = 1
			}
			if s := catcher.Stats(); s.Received != kept || s.Faulty != 1-kept || len(s.Complaints) != 1-kept {
				t.Fatalf("stats = %+v, want %d kept", s, kept)
			}
		})
	}
}

func TestMailsAreKeptAsTheyCameInMemoryAndInAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, spill := range map[string]string{"memory": "", "file": filepath.Join(dir, "mails")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
			c, err := mailcatcher.New(mailcatcher.Options{Spill: spill, MaxMails: 3, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Listen("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			p := dial(t, c)
			for i := range 5 {
				if a := p.send(fmt.Sprintf("Ada%d@people.example", i), fmt.Sprintf("%s\r\nletter %d\r\n..dot\r\n.\r\n", head, i)); !strings.HasPrefix(a, "250") {
					t.Fatal(a)
				}
			}
			list := c.Mails(mailcatcher.Filter{}, mailcatcher.Page{})
			if c.Count() != 5 || len(list) != 3 || list[0].ID != 5 || list[2].ID != 3 {
				t.Fatalf("count %d, list %+v; want 5 received and the newest 3, newest first", c.Count(), list)
			}
			if m := list[0]; m.Subject != "Schön" || m.From != "Shop <shop@shop.example>" || m.Source != nil || !m.At.Equal(now) || !m.Duplicate {
				t.Fatalf("listed mail = %+v", m)
			}
			if s := c.Stats(); s.Duplicates != 4 || s.Kept != 3 {
				t.Fatalf("stats = %+v, want 4 duplicates of one Message-ID", s)
			}
			if got := c.Mails(mailcatcher.Filter{To: "aDA3@"}, mailcatcher.Page{}); len(got) != 1 || got[0].ID != 4 {
				t.Fatalf("search = %+v, want mail 4", got)
			}
			if got := c.Mails(mailcatcher.Filter{}, mailcatcher.Page{Before: 5, Limit: 1}); len(got) != 1 || got[0].ID != 4 {
				t.Fatalf("page before 5 = %+v, want mail 4", got)
			}
			m, err := c.Mail(4)
			if err != nil || string(m.Source) != head+"\r\nletter 3\r\n.dot\r\n" {
				t.Fatalf("Mail(4) = %q, %v", m.Source, err)
			}
			for _, id := range []int{-1, 0, 2, 6} {
				if _, err := c.Mail(id); !fault.Is(err, fault.NotFound) {
					t.Errorf("Mail(%d) = %v, want NotFound", id, err)
				}
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if spill != "" {
				if _, err := os.Stat(spill); !os.IsNotExist(err) {
					t.Fatalf("the spill file is still there: %v", err)
				}
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := open(t, mailcatcher.Options{MaxBytes: 1000})
	p := dial(t, c)
	for range 10 {
		p.send("a@people.example", head+"\r\n"+strings.Repeat("x", 200)+"\r\n.\r\n")
	}
	if s := c.Stats(); s.Received != 10 || s.Kept != 2 {
		t.Fatalf("stats = %+v, want 10 received and the 2 kept that fit in 1,000 bytes", s)
	}
}

func TestItRefusesAsTold(t *testing.T) {
	t.Parallel()
	c := open(t, mailcatcher.Options{Reject: func(to string) *mailcatcher.Reply {
		switch {
		case strings.HasPrefix(to, "gone"):
			return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such person"}
		case strings.HasPrefix(to, "spam"):
			return &mailcatcher.Reply{Code: 554, Enhanced: [3]int{5, 7, 1}, Text: "looks like spam", AtEnd: true}
		case strings.HasPrefix(to, "lost"):
			return &mailcatcher.Reply{Lost: true}
		case strings.HasPrefix(to, "cut"):
			return &mailcatcher.Reply{Cut: true}
		}
		return nil
	}})
	for to, want := range map[string]string{"gone": "550 5.1.1 no such person", "spam": "554 5.7.1 looks like spam", "lost": "closed", "cut": "closed"} {
		if got := dial(t, c).send(to+"@people.example", head+"\r\nHello\r\n.\r\n"); got != want {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
	if c.Count() != 1 {
		t.Errorf("%d mails taken, want only the lost one", c.Count())
	}
}

func TestItListensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	c, err := mailcatcher.New(mailcatcher.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:25", "example.com:25", "127.0.0.1"} {
		if err := c.Listen(addr); !fault.Is(err, fault.Invalid) {
			t.Errorf("Listen(%q) = %v, want Invalid", addr, err)
		}
	}
}

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

func TestPagesShowAMailAndNothingOfItRuns(t *testing.T) {
	t.Parallel()
	c := open(t, mailcatcher.Options{})
	mail := "From: " + hostile + " <shop@shop.example>\r\nTo: ada@people.example\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\nSubject: " + hostile +
		"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe " + hostile +
		"\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PHRpdGxlPng8L3RpdGxlPjwvaGVhZD48cD5IZWxsbzwvcD48L2h0bWw+\r\n--=_b--\r\n.\r\n"
	if a := dial(t, c).send("ada@people.example", mail); !strings.HasPrefix(a, "250") {
		t.Fatal(a)
	}
	s := httptest.NewServer(c.Handler("/mail-catcher"))
	defer s.Close()
	page := func(path string) (int, string, http.Header) {
		t.Helper()
		r, err := http.Get(s.URL + "/mail-catcher" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var b strings.Builder
		if _, err := bufio.NewReader(r.Body).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			if r.Header.Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
		return r.StatusCode, b.String(), r.Header
	}
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, "ada@people.example"},
		{"/?to=ada", 200, "ada@people.example"},
		{"/?to=" + "%3Cscript%3E", 200, "No mail to a recipient like"},
		{"/?before=-1", 200, "ada@people.example"},
		{"/mail/1", 200, `<iframe title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox"`},
		{"/mail/1?view=text", 200, "Grüße"},
		{"/mail/1?view=source", 200, "multipart/alternative"},
		{"/mail/2", 404, "no such mail"},
		{"/mail/x", 404, "no such mail"},
		{"/mail/2/source", 404, "no such mail"},
		{"/nonsense", 404, "no such page"},
		{"/style.css", 200, "--ink"},
	} {
		status, body, h := page(c.path)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d with %q", c.path, status, body, c.status, c.want)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s shows a mail's markup as markup", c.path)
		}
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: policy %q", c.path, h.Get("Content-Security-Policy"))
		}
	}
	_, body, h := page("/mail/1/html")
	if !strings.Contains(body, `<head><base target="_blank">`) || !strings.Contains(body, "<p>Hello</p>") {
		t.Errorf("the HTML part is %q", body)
	}
	if p := h.Get("Content-Security-Policy"); !strings.HasPrefix(p, "sandbox ") || strings.Contains(p, "allow-scripts") || strings.Contains(p, "allow-same-origin") || strings.Contains(p, "script-src") {
		t.Errorf("the policy of a mail is %q, want a sandbox without script", p)
	}
}

func TestProgramsReadTheListAndAMailAsItCame(t *testing.T) {
	t.Parallel()
	c := open(t, mailcatcher.Options{})
	mail := func(to, id string) string {
		return "From: shop@shop.example\r\nTo: " + to + "\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\nMessage-ID: <" + id + "@shop.example>\r\nSubject: " + hostile + "\r\n\r\nGreetings to " + to + "\r\n"
	}
	for _, to := range []string{"ada@people.example", "bob@people.example"} {
		if a := dial(t, c).send(to, mail(to, to[:3])+".\r\n"); !strings.HasPrefix(a, "250") {
			t.Fatal(a)
		}
	}
	h := c.Handler("/mails")
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/mails"+path, nil))
		return w
	}
	type entry struct {
		ID      int
		Rcpt    []string
		Subject string
	}
	var list []entry
	for d := json.NewDecoder(ask("/mails.json").Body); d.More(); {
		var e entry
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	if len(list) != 2 || list[0].ID != 2 || list[0].Rcpt[0] != "bob@people.example" || list[1].ID != 1 || list[1].Subject != hostile {
		t.Errorf("the list is %+v", list)
	}
	if w := ask("/mails.json?to=ada"); strings.Count(w.Body.String(), "\n") != 1 || !strings.Contains(w.Body.String(), "ada@people.example") {
		t.Errorf("ada's mails are %s", w.Body)
	}
	if w := ask("/mails.json?before=1"); w.Body.Len() != 0 {
		t.Errorf("before the first mail there is %s", w.Body)
	}
	w := ask("/mail/1/source")
	if w.Body.String() != mail("ada@people.example", "ada") || w.Header().Get("Content-Type") != "message/rfc822" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the mail is %q with %v", w.Body, w.Header())
	}
}
