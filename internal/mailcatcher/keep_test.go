package mailcatcher_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rapport/internal/mailcatcher"
)

// keeping opens a catcher over a file that stays.
func keeping(t *testing.T, path string) *mailcatcher.Catcher {
	t.Helper()
	c, err := mailcatcher.New(mailcatcher.Options{Keep: path, Now: func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return c
}

func letterTo(to string, n int) string {
	return fmt.Sprintf("From: shop@shop.example\r\nTo: %s\r\nSubject: Letter %d for %s\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <%d@shop.example>\r\n\r\nwords for %s\r\n.\r\n", to, n, to, n, to)
}

func take(t *testing.T, c *mailcatcher.Catcher, to string, n int) {
	t.Helper()
	if a := dial(t, c).send(to, letterTo(to, n)); a[0] != '2' {
		t.Fatal(a)
	}
}

func TestCaughtMailsStayOverAStop(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mails")
	c := keeping(t, path)
	take(t, c, "ada@people.example", 1)
	take(t, c, "bob@people.example", 2)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = keeping(t, path)
	defer c.Close()
	list := c.Mails(mailcatcher.Filter{}, mailcatcher.Page{})
	if len(list) != 2 || list[0].ID != 2 || list[0].Subject != "Letter 2 for bob@people.example" || list[1].Rcpt[0] != "ada@people.example" || list[1].At.Hour() != 10 || c.Count() != 0 {
		t.Fatalf("after a start there are %+v", list)
	}
	take(t, c, "eve@people.example", 1)
	if m, err := c.Mail(3); err != nil || !m.Duplicate || !bytes.Contains(m.Source, []byte("words for eve")) {
		t.Errorf("the third mail is %+v, %v; it goes on counting, and its Message-ID is the first one's", m, err)
	}
	if m, err := c.Mail(1); err != nil || !strings.HasSuffix(string(m.Source), "words for ada@people.example\r\n") {
		t.Errorf("the first mail is %q, %v", m.Source, err)
	}
}

func TestAKeptFileThatWasCutOffLosesItsEndAndNothingElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mails")
	c := keeping(t, path)
	for n := range 3 {
		take(t, c, "ada@people.example", n)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	each := len(whole) / 3
	for cut := 0; cut < len(whole); cut += 7 {
		for _, junk := range []string{"", "\x00\x00\x00\x00", strings.Repeat("RcM1", 20)} {
			if err := os.WriteFile(path, append(bytes.Clone(whole[:cut]), junk...), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := mailcatcher.New(mailcatcher.Options{Keep: path})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Stats().Kept; got != cut/each {
				t.Fatalf("cut at %d of %d there are %d mails", cut, len(whole), got)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOnlyTheNewestMailsStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mails")
	c := keeping(t, path)
	p := dial(t, c)
	for n := range 2_050 {
		if a := p.send("ada@people.example", letterTo("ada@people.example", n)); a[0] != '2' {
			t.Fatal(a)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = keeping(t, path)
	defer c.Close()
	if s := c.Stats(); s.Kept != 2_000 {
		t.Errorf("%d mails stayed", s.Kept)
	}
	if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte("Letter 49 ")) || !bytes.Contains(b, []byte("Letter 50 ")) {
		t.Errorf("the file begins elsewhere: %v", err)
	}
	if m, err := c.Mail(51); err != nil || m.Subject != "Letter 50 for ada@people.example" {
		t.Errorf("%+v %v", m, err)
	}
}

func TestWhoWasErasedLeavesNothingInAKeptFile(t *testing.T) {
	t.Parallel()
	toAda := func(rcpt string) bool { return rcpt == "ada@people.example" }
	for name, open := range map[string]bool{"while it is open": true, "while nobody has it": false} {
		path := filepath.Join(t.TempDir(), "mails")
		c := keeping(t, path)
		for n, to := range []string{"ada@people.example", "bob@people.example", "ada@people.example"} {
			take(t, c, to, n)
		}
		var n int
		var err error
		if open {
			n, err = c.Forget(toAda)
		}
		if closed := c.Close(); closed != nil {
			t.Fatal(closed)
		}
		if !open {
			n, err = mailcatcher.ForgetKept(path, toAda)
		}
		if err != nil || n != 2 {
			t.Fatalf("%s: %d mails were forgotten, %v", name, n, err)
		}
		b, err := os.ReadFile(path)
		if err != nil || bytes.Contains(b, []byte("ada")) || !bytes.Contains(b, []byte("words for bob")) {
			t.Errorf("%s: the file holds %q, %v", name, b, err)
		}
		c = keeping(t, path)
		if m, err := c.Mail(1); err != nil || m.Size != 0 || len(m.Source) > 0 || len(m.Rcpt) > 0 {
			t.Errorf("%s: the first mail is %+v, %v", name, m, err)
		}
		if m, err := c.Mail(2); err != nil || !bytes.Contains(m.Source, []byte("words for bob")) {
			t.Errorf("%s: bob's mail is %+v, %v", name, m, err)
		}
		if again, err := c.Forget(toAda); again != 0 || err != nil {
			t.Errorf("%s: %d were forgotten again, %v", name, again, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := mailcatcher.ForgetKept(filepath.Join(t.TempDir(), "none"), toAda); n != 0 || err != nil {
		t.Error(n, err)
	}
}
