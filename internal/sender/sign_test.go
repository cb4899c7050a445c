package sender_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
	"rapport/internal/fault"
	"rapport/internal/sender"
)

// verified returns a book whose domain signs, and its records by name.
func verified(t testing.TB, name string) (*sender.Book, map[string]string) {
	t.Helper()
	b, _ := book(t)
	d := add(t, b, sender.Domain{Name: name, Hosts: []string{"192.0.2.25"}})
	records := map[string]string{}
	for _, r := range d.Records("") {
		records[r.Name] = r.Value
	}
	if got, err := b.Check(t.Context(), answers(records), name); err != nil || got.Verified.IsZero() {
		t.Fatalf("the domain is not verified: %+v, %v", got.Problems, err)
	}
	return b, records
}

func mail(t testing.TB) []byte {
	t.Helper()
	m := channeltest.Message(1)
	m.Subject = "Grüße, and a very long subject that has to be folded because it does not fit on a line of seventy-six"
	m.HTML = "<p>Grüße</p>\n.\n" + strings.Repeat("x", 2000)
	out, err := email.Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	return out.Data
}

func verify(t *testing.T, mail []byte, records map[string]string) (good int) {
	t.Helper()
	list, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if v, ok := records[name]; ok {
			return []string{v}, nil
		}
		return nil, fault.New(fault.NotFound, "no record "+name)
	}})
	if err != nil {
		return 0
	}
	for _, v := range list {
		if v.Err == nil {
			good++
		}
	}
	return good
}

func TestAMailHasTwoSignaturesThatHold(t *testing.T) {
	t.Parallel()
	b, records := verified(t, "shop.example")
	head, err := b.Sign("shop.example", mail(t))
	if err != nil {
		t.Fatal(err)
	}
	signed := append(head, mail(t)...)
	if n := verify(t, signed, records); n != 2 {
		t.Fatalf("%d signatures hold, want 2:\n%s", n, head)
	}
	text := strings.ToLower(strings.Join(strings.Fields(string(head)), ""))
	if strings.Contains(text, ";l=") || strings.Count(text, "c=relaxed/relaxed") != 2 || strings.Count(text, "a=rsa-sha256") != 1 || strings.Count(text, "a=ed25519-sha256") != 1 {
		t.Errorf("the signatures are %s", head)
	}
	for _, name := range []string{"list-unsubscribe:", "list-unsubscribe-post:", "from:from:", "subject:subject:", "message-id:message-id:", "reply-to:", "mime-version:", "content-type:"} {
		if strings.Count(text, name) < 2 {
			t.Errorf("%s is not signed: %s", name, head)
		}
	}
}

func TestTamperingBreaksBothSignatures(t *testing.T) {
	t.Parallel()
	b, records := verified(t, "shop.example")
	head, err := b.Sign("shop.example", mail(t))
	if err != nil {
		t.Fatal(err)
	}
	signed := string(head) + string(mail(t))
	for _, c := range [][2]string{
		{"From: ", "From: x@evil.example\r\nFrom: "},
		{"\r\nTo: ", "\r\nTo: eve@evil.example\r\nTo: "},
		{"\r\nSubject: ", "\r\nSubject: won\r\nSubject: "},
		{"\r\nDate: ", "\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nDate: "},
		{"\r\nMIME-Version: 1.0", "\r\nMIME-Version: 1.0\r\nReply-To: eve@evil.example"},
		{"https://shop.example/u/token", "https://evil.example/u/token"},
		{"List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click"},
		{"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", ""},
		{"Content-Type: multipart/alternative", "Content-Type: multipart/mixed"},
		{"xxxx", "xxxy"},
		{"\r\nMIME-Version: 1.0", "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain"},
	} {
		tampered := strings.Replace(signed, c[0], c[1], 1)
		if tampered == signed {
			t.Fatalf("%q does not stand in the mail", c[0])
		}
		if n := verify(t, []byte(tampered), records); n != 0 {
			t.Errorf("with %q made %q, %d signatures hold", c[0], c[1], n)
		}
	}
	if n := verify(t, append([]byte(signed), "\r\nP.S. buy now\r\n"...), records); n != 0 {
		t.Errorf("with a text added at the end, %d signatures hold", n)
	}
}

func TestADomainWithoutKeysInDNSSignsNothing(t *testing.T) {
	t.Parallel()
	b, _ := book(t)
	add(t, b, sender.Domain{Name: "shop.example"})
	for _, name := range []string{"shop.example", "other.example"} {
		if head, err := b.Sign(name, mail(t)); err != nil || len(head) > 0 {
			t.Errorf("%s: %q, %v", name, head, err)
		}
	}
}

func TestTheKeysAreSealed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(secret string) *sender.Book {
		b, err := sender.Open(dir, []byte(secret), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	d := add(t, open("secret"), sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}})
	records := map[string]string{}
	for _, r := range d.Records("") {
		records[r.Name] = r.Value
	}
	if _, err := open("secret").Check(t.Context(), answers(records), d.Name); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "domains.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if _, err := open("secret").Sign("shop.example", mail(t)); err != nil {
		t.Errorf("with the workspace's secret: %v", err)
	}
	if _, err := open("another").Sign("shop.example", mail(t)); !fault.Is(err, fault.Corrupt) {
		t.Errorf("with another secret: %v, want Corrupt", err)
	}
}

func BenchmarkSign(b *testing.B) {
	book, _ := verified(b, "shop.example")
	m := mail(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := book.Sign("shop.example", m); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func TestAFromOfAnotherOrganisationIsRefusedWhenItIsSetUp(t *testing.T) {
	t.Parallel()
	b, _ := book(t)
	if _, err := b.Add(sender.Domain{Name: "mailer.example", Froms: []string{"shop.example"}}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "rapport domain add shop.example") {
		t.Errorf("Add = %v, want what to do instead", err)
	}
	if _, err := b.Add(sender.Domain{Name: "shop.example", Froms: []string{"news.shop.example"}}); err != nil {
		t.Errorf("a From below the domain: %v", err)
	}
}

func TestAnAddressOfTheNetworkIsNoSendingDomain(t *testing.T) {
	t.Parallel()
	b, _ := book(t)
	for _, d := range []sender.Domain{
		{Name: "192.0.2.25"},
		{Name: "127.1"},
		{Name: "0x7f.0.0.1"},
		{Name: "2001:db8::1"},
		{Name: "[192.0.2.25]"},
		{Name: "shop.example", Froms: []string{"192.0.2.25"}},
		{Name: "shop.example", Bounces: "192.0.2.25"},
	} {
		if _, err := b.Add(d); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "address of the network") {
			t.Errorf("Add(%+v) = %v, want that it is an address of the network", d, err)
		}
	}
	for _, name := range []string{"3com.example", "1.2.3.example", "xn--bcher-kva.example"} {
		if _, err := b.Add(sender.Domain{Name: name}); err != nil {
			t.Errorf("Add(%s) = %v", name, err)
		}
	}
}
