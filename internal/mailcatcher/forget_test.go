package mailcatcher_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rapport/internal/mailcatcher"
)

func TestMailsToSomebodyErasedAreGoneFromListAndFile(t *testing.T) {
	t.Parallel()
	for _, spill := range []string{"", filepath.Join(t.TempDir(), "mails")} {
		c, err := mailcatcher.New(mailcatcher.Options{Spill: spill})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		for i, to := range []string{"ada@shop.example", "bob@shop.example", "ada@shop.example"} {
			raw := "From: shop@shop.example\r\nTo: " + to + "\r\nSubject: Hello\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <" + strconv.Itoa(i) + "@shop.example>\r\n\r\nwords for " + to + "\r\n.\r\n"
			if a := dial(t, c).send(to, raw); a[0] != '2' {
				t.Fatal(a)
			}
		}
		onDisk := func() int {
			if spill == "" {
				return 0
			}
			b, err := os.ReadFile(spill)
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Count(b, []byte("words for ada"))
		}
		if spill != "" && onDisk() != 2 {
			t.Fatal("the spill file does not hold the mails: the test can tell nothing")
		}
		n, err := c.Forget(func(rcpt string) bool { return rcpt == "ada@shop.example" })
		if err != nil || n != 2 || onDisk() != 0 {
			t.Errorf("%d mails were forgotten, %v; %d left in the file", n, err, onDisk())
		}
		if m, err := c.Mail(1); err != nil || len(bytes.Trim(m.Source, "\x00")) > 0 || len(m.Rcpt) > 0 {
			t.Errorf("the first mail is %+v, %v", m, err)
		}
		if m, err := c.Mail(2); err != nil || !bytes.Contains(m.Source, []byte("words for bob")) {
			t.Errorf("bob's mail is %+v, %v", m, err)
		}
	}
}
