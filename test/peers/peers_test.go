package peers_test

import (
	"context"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
	"rapport/internal/inbound"
	"rapport/internal/sender"
	"rapport/internal/site"
)

// told notes what comes back.
type told struct {
	mu  sync.Mutex
	got []channels.Notice
}

// Receive notes.
func (r *told) Receive(_ context.Context, notices []channels.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, notices...)
	return nil
}

func (r *told) all() []channels.Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// message is marketing as the product makes it, but for its words.
func message(signer *site.Signer, to string, n int) channels.Message {
	m := channeltest.Message(n)
	m.To.Address = to
	m.Subject, m.Text = "Grüße aus dem Laden, und ein langer Betreff, der gefaltet werden muss", "Grüße\n.\nfrom the shop\n"
	m.Bounce = signer.Address(site.BounceReturn, m.Delivery, "bounces.shop.example")
	m.Headers[0].Value = "<https://shop.example/u/" + strings.Repeat("token", 30) + ">, <mailto:" + signer.Address(site.LeaveReturn, m.Delivery, "bounces.shop.example") + "?subject=unsubscribe>"
	m.Headers = append(m.Headers, channels.Header{Name: "List-ID", Value: "<marketing.shop.example>"}, channels.Header{Name: "Feedback-ID", Value: "a:b:c:shop.example"},
		channels.Header{Name: "CFBL-Address", Value: signer.Address(site.FeedbackReturn, m.Delivery, "bounces.shop.example") + "; report=arf"})
	return m
}

func TestOtherPeoplesMailServersBelieveOurMail(t *testing.T) {
	t.Parallel()
	book, err := sender.Open(t.TempDir(), []byte("secret"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d, err := book.Add(sender.Domain{Name: "shop.example", Bounces: "bounces.shop.example", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{}
	for _, r := range d.Records("") {
		records[r.Name] = strings.ReplaceAll(r.Value, "p=none", "p=reject")
	}
	signer, err := site.NewSigner("https://shop.example", "shop", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	back := &told{}
	door, err := inbound.New(inbound.Options{Addresses: signer, Receiver: back})
	if err != nil {
		t.Fatal(err)
	}
	if err := door.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		door.Close(ctx)
	})
	p := open(t, records, door.Addr())
	if d, err = book.Check(t.Context(), sender.NewResolver(p.dns), "shop.example"); err != nil || d.Verified.IsZero() {
		t.Fatalf("the domain is not verified: %+v, %v", d.Problems, err)
	}
	ch, err := email.New(email.Options{Addr: p.smtp, Sign: book.Sign})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	good, gone, nobody := message(signer, "ada@people.example", 1), message(signer, "gone@people.example", 2), message(signer, "nobody@people.example", 3)
	out := ch.Send(t.Context(), []channels.Message{good, gone, nobody})
	if out[0].State != channels.Accepted || out[1].State != channels.Accepted || out[2].State != channels.Rejected || !out[2].Hard {
		t.Fatalf("Postfix says %+v", out)
	}

	until(t, "the arrival of the mail", func() bool { return len(p.mails(t)) == 1 })
	mail := p.mails(t)[0]
	results := ""
	for _, line := range strings.Split(mail, "\n") {
		if strings.HasPrefix(line, "Authentication-Results:") || results != "" && strings.HasPrefix(line, "\t") {
			results += line
		} else if results != "" {
			break
		}
	}
	if n := strings.Count(results, "dkim=pass"); n != 2 {
		t.Errorf("OpenDKIM believes %d signatures, want 2: %s", n, results)
	}

	t.Run("a real bounce comes back to the door", func(t *testing.T) {
		until(t, "the return of the bounce", func() bool { return len(back.all()) > 0 })
		n := back.all()[0]
		if n.Told != channels.Bounced || n.Delivery != gone.Delivery || n.Status != "5.1.1" || n.Cause() != channels.Hard {
			t.Errorf("told %+v", n)
		}
	})

	t.Run("dkimpy and a DMARC checker believe it, and nothing that was tampered with", func(t *testing.T) {
		checkTampering(t, p, mail)
	})

	t.Run("OpenDKIM does not believe it once a way out was changed", func(t *testing.T) {
		changed := strings.Replace(untouched(mail), "List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click", 1)
		before := len(p.mails(t))
		c, err := smtp.Dial(p.smtp)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		deliver(t, c, changed)
		until(t, "the arrival of the changed mail", func() bool { return len(p.mails(t)) == before+1 })
		for _, m := range p.mails(t) {
			if strings.Contains(m, "Two-Click") && strings.Contains(m, "dkim=pass") {
				t.Errorf("it is believed:\n%.2000s", m)
			}
		}
	})
}

func deliver(t *testing.T, c *smtp.Client, mail string) {
	t.Helper()
	if err := c.Mail("b@bounces.shop.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("ada@people.example"); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// untouched returns a mail as it left us: from our first signature on.
func untouched(mail string) string {
	return strings.ReplaceAll(mail[strings.Index(mail, "DKIM-Signature:"):], "\n", "\r\n")
}

// checkTampering lets dkimpy and authheaders judge the mail and changed copies.
func checkTampering(t *testing.T, p *peers, mail string) {
	t.Helper()
	mail = untouched(mail)
	copies := []string{mail}
	for _, c := range [][2]string{
		{"https://shop.example/u/", "https://evil.example/u/"},
		{"List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Click"},
		{"mailto:u+", "mailto:v+"},
		{"\r\nFrom: ", "\r\nFrom: eve@shop.example\r\nFrom: "},
		{"\r\nSubject: ", "\r\nSubject: won\r\nSubject: "},
		{"\r\nMIME-Version: ", "\r\nReply-To: eve@evil.example\r\nMIME-Version: "},
		{"from the shop", "from the thief"},
		{"report=arf", "report=xarf"},
	} {
		changed := strings.Replace(mail, c[0], c[1], 1)
		if changed == mail {
			t.Fatalf("%q does not stand in the mail:\n%s", c[0], mail)
		}
		copies = append(copies, changed)
	}
	args := []string{"judge.py"}
	_, dnsPort, _ := net.SplitHostPort(p.dns)
	args = append(args, dnsPort)
	for i, m := range copies {
		name := filepath.Join(t.TempDir(), "mail-"+string(rune('a'+i)))
		if err := os.WriteFile(name, []byte(m), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	text, err := exec.CommandContext(t.Context(), tool("python3"), args...).CombinedOutput()
	if strings.Contains(string(text), "ModuleNotFoundError") {
		t.Skip("python3-dkim and python3-authheaders are not here: scripts/need.sh installs them")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(copies) {
		t.Fatalf("%d verdicts for %d mails:\n%s", len(lines), len(copies), text)
	}
	if lines[0] != "dkim=yes/yes dmarc=pass" {
		t.Errorf("of our mail they say %s", lines[0])
	}
	for i, line := range lines[1:] {
		if line != "dkim=no/no dmarc=fail" {
			t.Errorf("of changed copy %d they say %s", i+1, line)
		}
	}
}
