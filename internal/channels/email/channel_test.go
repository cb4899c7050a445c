package email_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
)

// told answers a recipient whose address begins with a fate as the fate says.
func told(to string) *mailcatcher.Reply {
	fate, _, _ := strings.Cut(to, ".")
	switch fate {
	case "reject":
		return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "no such person"}
	case "policy":
		return &mailcatcher.Reply{Code: 550, Enhanced: [3]int{5, 7, 515}, Text: "not authenticated", AtEnd: true}
	case "defer":
		return &mailcatcher.Reply{Code: 451, Enhanced: [3]int{4, 7, 1}, Text: "greylisted"}
	case "lost":
		return &mailcatcher.Reply{Lost: true}
	case "cut":
		return &mailcatcher.Reply{Cut: true}
	}
	return nil
}

func catcher(t *testing.T) *mailcatcher.Catcher {
	t.Helper()
	c, err := mailcatcher.New(mailcatcher.Options{Reject: told})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return c
}

func channel(t *testing.T, o email.Options) *email.Channel {
	t.Helper()
	c, err := email.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d connections", connections), func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Peer {
				c := catcher(t)
				return channeltest.Peer{
					Channel: channel(t, email.Options{Addr: c.Addr(), Connections: connections}),
					Fates:   []channeltest.Fate{channeltest.Accept, channeltest.Reject, channeltest.Policy, channeltest.Defer, channeltest.Lost, channeltest.Cut},
					Mark: func(m *channels.Message, f channeltest.Fate) {
						m.To.Address = f.String() + "." + m.To.Address
					},
					Taken: func(m channels.Message) int {
						n := 0
						for _, mail := range c.Mails(mailcatcher.Filter{To: m.To.Address}, mailcatcher.Page{Limit: 500}) {
							if strings.Contains(mail.MessageID, m.Delivery) && mail.Rcpt[0] == m.To.Address {
								n++
							}
						}
						return n
					},
				}
			})
		})
	}
}

// Item 32: RCPT TO is exactly what was checked, and the recipient of a bad
// address is not somebody else.
func TestItem32TheServerHearsExactlyTheCheckedAddress(t *testing.T) {
	t.Parallel()
	c := catcher(t)
	ch := channel(t, email.Options{Addr: c.Addr()})
	var batch []channels.Message
	addresses := []string{"Ada.L+x@people.example", "a@b.example\r\nBcc: e4@x.example", `"a b"@c.example`, "a@b@c", "o'neil!#$%@people.example", "a@Bücher.example", "a@[127.0.0.1]"}
	for i, to := range addresses {
		m := channeltest.Message(i)
		m.To.Address = to
		batch = append(batch, m)
	}
	good := map[string]bool{"Ada.L+x@people.example": true, "o'neil!#$%@people.example": true, "a@xn--bcher-kva.example": true}
	for i, o := range ch.Send(t.Context(), batch) {
		want := channels.Rejected
		if i == 0 || i == 4 || i == 5 {
			want = channels.Accepted
		}
		if o.State != want || o.Hard != (want == channels.Rejected) {
			t.Errorf("%q: %+v, want %s", addresses[i], o, want)
		}
	}
	for _, m := range c.Mails(mailcatcher.Filter{}, mailcatcher.Page{}) {
		if len(m.Rcpt) != 1 || !good[m.Rcpt[0]] {
			t.Errorf("the server heard of %q", m.Rcpt)
		}
		delete(good, m.Rcpt[0])
	}
	if len(good) != 0 {
		t.Errorf("never heard of: %v", good)
	}
}

// What arrives is what was composed, whatever the dots.
func TestTheBytesArriveAsComposed(t *testing.T) {
	t.Parallel()
	c := catcher(t)
	ch := channel(t, email.Options{Addr: c.Addr(), Connections: 1})
	var batch []channels.Message
	for i := range 20 {
		m := channeltest.Message(i)
		m.Text = strings.Repeat(".\n..\n.x\n", i) + "end."
		m.HTML = strings.Repeat("<p>.</p>\n.\n", 300*i) + "."
		batch = append(batch, m)
	}
	for i, o := range ch.Send(t.Context(), batch) {
		if o.State != channels.Accepted {
			t.Fatalf("message %d: %+v", i, o)
		}
		m, err := c.Mail(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := compose(t, batch[i]).Data; strings.TrimRight(string(m.Source), "\r\n") != strings.TrimRight(string(want), "\r\n") {
			t.Fatalf("message %d arrived as\n%.300s\nwant\n%.300s", i, m.Source, want)
		}
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) { p.serve(nil) })
	ch := channel(t, email.Options{Addr: s.addr, Connections: 3})
	for i := range 40 {
		if o := ch.Send(t.Context(), []channels.Message{channeltest.Message(i)}); o[0].State != channels.Accepted {
			t.Fatal(o)
		}
	}
	if n := s.connections.Load(); n != 1 {
		t.Fatalf("%d connections for one message after the other, want 1", n)
	}
}

func TestOptionsThatCannotWorkAreInvalid(t *testing.T) {
	t.Parallel()
	for _, o := range []email.Options{{}, {Addr: "smtp.example.com"}, {Addr: "a:25", Connections: -1}, {Addr: "a:25", Connections: 65}, {Addr: "a:25", Hello: "a b\r\nRSET"}} {
		if _, err := email.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("New(%+v) = %v, want Invalid", o, err)
		}
	}
}

func TestWithoutAServerEverythingIsDeferred(t *testing.T) {
	t.Parallel()
	c := catcher(t)
	addr := c.Addr()
	c.Close()
	ch := channel(t, email.Options{Addr: addr})
	for _, o := range ch.Send(t.Context(), []channels.Message{channeltest.Message(1), channeltest.Message(2)}) {
		if o.State != channels.Deferred || o.RetryAfter <= 0 || !strings.Contains(o.Detail, "connecting to the mail server") {
			t.Errorf("outcome = %+v, want deferred with the reason", o)
		}
	}
	ch.Close()
	if o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)}); o[0].State != channels.Deferred {
		t.Errorf("a closed channel: %+v", o)
	}
}

func BenchmarkSend(b *testing.B) {
	c, err := mailcatcher.New(mailcatcher.Options{MaxMails: 1000})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Listen("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	ch, err := email.New(email.Options{Addr: c.Addr(), Connections: 8})
	if err != nil {
		b.Fatal(err)
	}
	defer ch.Close()
	batch := make([]channels.Message, 500)
	for i := range batch {
		batch[i] = channeltest.Message(i)
		batch[i].HTML = strings.Repeat("<p>Three weeks ago you looked at the blue plimsolls, size 38. They are back.</p>\n", 60)
		batch[i].Text = strings.Repeat("Three weeks ago you looked at the blue plimsolls, size 38.\n", 20)
	}
	start := time.Now()
	for b.Loop() {
		for _, o := range ch.Send(b.Context(), batch) {
			if o.State != channels.Accepted {
				b.Fatal(o)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/time.Since(start).Seconds(), "msg/s")
}
