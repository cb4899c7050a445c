package sender_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/sender"
)

// answers is a resolver with TXT records alone.
type answers map[string]string

// LookupTXT returns a record.
func (a answers) LookupTXT(_ context.Context, name string) ([]string, error) {
	if v, ok := a[strings.TrimSuffix(name, ".")]; ok {
		return []string{v}, nil
	}
	return nil, &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
}

// LookupMX finds none.
func (answers) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
}

// LookupNetIP finds none.
func (answers) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
}

// alarms are what an operator was told.
type alarms []string

func traffic(t *testing.T, b *sender.Book, c *ticking) (*sender.Traffic, *alarms) {
	t.Helper()
	var told alarms
	tr, err := sender.OpenTraffic(t.TempDir(), b, c.now, func(message, _ string, err error) {
		if err != nil {
			t.Error(err)
		}
		told = append(told, message)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr, &told
}

func TestComplaintsWarnAndThenPause(t *testing.T) {
	t.Parallel()
	b, c := book(t)
	add(t, b, sender.Domain{Name: "shop.example"})
	tr, told := traffic(t, b, c)
	paused := func() bool {
		d, err := b.Domain("shop.example")
		if err != nil {
			t.Fatal(err)
		}
		return !d.Paused.IsZero()
	}
	complain := func(n int) {
		for range n {
			tr.Complained("shop.example")
		}
	}
	tr.Sent("shop.example", true, 999)
	complain(50)
	if paused() || len(*told) > 0 {
		t.Fatalf("of fewer than a thousand mails a rate was made: %q", *told)
	}
	c.at = c.at.Add(25 * time.Hour)
	tr.Sent("shop.example", true, 2000)
	complain(2)
	if len(*told) != 0 {
		t.Fatalf("at 0.1 %% it was told: %q", *told)
	}
	complain(1)
	if len(*told) != 1 || paused() || !strings.Contains((*told)[0], "3 complaints about 2000 mails") {
		t.Fatalf("above 0.1 %%: %q, paused %v", *told, paused())
	}
	complain(3) // 0.3 % is the limit, not beyond it
	if paused() || len(*told) != 1 {
		t.Fatalf("at 0.3 %%: %q, paused %v", *told, paused())
	}
	complain(1)
	if !paused() || len(*told) != 2 || !strings.Contains((*told)[1], "rapport domain resume shop.example") {
		t.Fatalf("above 0.3 %%: %q, paused %v", *told, paused())
	}
	if wait, why := tr.Wait("shop.example"); wait <= 0 || !strings.Contains(why, "paused") {
		t.Errorf("marketing of a paused domain waits %v because %q", wait, why)
	}
	c.at = c.at.Add(48 * time.Hour)
	if !paused() {
		t.Error("a pause ended by itself")
	}
	if _, err := b.Resume("shop.example"); err != nil {
		t.Fatal(err)
	}
	if wait, _ := tr.Wait("shop.example"); wait != 0 || paused() {
		t.Errorf("after an operator lifted the pause it waits %v", wait)
	}
}

func TestTheCountsSurviveARestart(t *testing.T) {
	t.Parallel()
	b, c := book(t)
	add(t, b, sender.Domain{Name: "shop.example"})
	dir := t.TempDir()
	open := func() *sender.Traffic {
		tr, err := sender.OpenTraffic(dir, b, c.now, func(string, string, error) {})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	tr := open()
	tr.Sent("shop.example", true, 1500)
	tr.Complained("shop.example")
	if err := tr.Save(); err != nil {
		t.Fatal(err)
	}
	if d, n := open().Rate("shop.example"); d != 1500 || n != 1 {
		t.Errorf("after a restart %d delivered and %d complaints", d, n)
	}
}

// Item 37: the domain stops, not the people.
func TestItem37ARefusalOfTheDomainPausesItsMarketing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome channels.Outcome
		pauses  bool
	}{
		{channels.Outcome{State: channels.Rejected, Code: 550, Enhanced: "5.7.515", Detail: "5.7.515 Access denied, sending domain does not meet the required authentication level"}, true},
		{channels.Outcome{State: channels.Rejected, Code: 550, Enhanced: "5.7.1", Detail: "5.7.1 <c1@people.example>: our system has detected that this message is likely unsolicited mail"}, true},
		{channels.Outcome{State: channels.Rejected, Code: 550, Enhanced: "5.1.1", Detail: "5.1.1 user unknown", Hard: true}, false},
		{channels.Outcome{State: channels.Rejected, Code: 552, Enhanced: "5.2.2", Detail: "5.2.2 mailbox full"}, false},
		{channels.Outcome{State: channels.Deferred, Code: 421, Enhanced: "4.7.0", Detail: "4.7.0 too fast"}, false},
		{channels.Outcome{State: channels.Accepted}, false},
	} {
		b, _ := verified(t, "shop.example")
		tr, told := traffic(t, b, &ticking{noon})
		g := &sender.Guard{Book: b, Traffic: tr, Carrier: always(c.outcome)}
		m := channeltest.Message(1)
		m.Service = true // a service message's refusal speaks of the domain as well
		if out := g.Send(t.Context(), []channels.Message{m}); len(out) != 1 || out[0] != c.outcome {
			t.Errorf("the outcome is %+v", out)
		}
		d, err := b.Domain("shop.example")
		if strings.Contains(d.Why, "people.example") {
			t.Errorf("the reason names a person: %s", d.Why)
		}
		if err != nil || !d.Paused.IsZero() != c.pauses || (len(*told) > 0) != c.pauses {
			t.Errorf("%s: paused %v, told %q, %v", c.outcome.Enhanced, !d.Paused.IsZero(), *told, err)
		}
	}
}

// always answers everything alike, and counts.
type always channels.Outcome

// Send answers.
func (a always) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	for i := range out {
		out[i] = channels.Outcome(a)
	}
	return out
}

// taker notes what it was given.
type taker struct{ got []channels.Message }

// Send takes everything.
func (k *taker) Send(_ context.Context, batch []channels.Message) []channels.Outcome {
	k.got = append(k.got, batch...)
	return always(channels.Outcome{State: channels.Accepted}).Send(context.Background(), batch)
}

// Item 40: marketing from a domain that is not proved is refused before a byte of
// it leaves, and the outcome says why.
func TestItem40MarketingOfAnUnprovedDomainDoesNotLeave(t *testing.T) {
	t.Parallel()
	unproved, _ := book(t)
	d := add(t, unproved, sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}})
	proved, _ := verified(t, "shop.example")
	without := answers{}
	for _, r := range d.Records("") {
		if !strings.HasPrefix(r.Name, "_dmarc") {
			without[r.Name] = r.Value
		}
	}
	checked, _ := book(t)
	add(t, checked, sender.Domain{Name: "shop.example", Hosts: []string{"192.0.2.25"}})
	if _, err := checked.Check(t.Context(), without, "shop.example"); err != nil {
		t.Fatal(err)
	}
	lost, records := verified(t, "shop.example")
	delete(records, "_dmarc.shop.example")
	if _, err := lost.Check(t.Context(), answers(records), "shop.example"); err != nil {
		t.Fatal(err)
	}
	empty, _ := book(t)
	for _, c := range []struct {
		name string
		book *sender.Book
		from string
		why  string // empty: it leaves
	}{
		{"proved", proved, "news@shop.example", ""},
		{"another From", proved, "news@other.shop.example", "is not among the From domains"},
		{"not checked yet", unproved, "news@shop.example", "is not verified yet"},
		{"checked and wanting", checked, "news@shop.example", "is not verified ("},
		{"DMARC was taken away", lost, "news@shop.example", "there is no DMARC record"},
		{"not set up", empty, "news@shop.example", "is not set up as a sending domain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, _ := traffic(t, c.book, &ticking{noon})
			carrier, catcher := &taker{}, &taker{}
			g := &sender.Guard{Book: c.book, Traffic: tr, Carrier: carrier, Catcher: catcher}
			m, service := channeltest.Message(1), channeltest.Message(2)
			m.From.Address, m.Domain, service.Service, service.From.Address, service.Domain = c.from, "shop.example", true, c.from, "shop.example"
			out := g.Send(t.Context(), []channels.Message{m, service})
			if len(out) != 2 || out[1].State != channels.Accepted {
				t.Fatalf("a service message is held back: %+v", out)
			}
			if c.why == "" {
				if out[0].State != channels.Accepted || len(carrier.got) != 2 || len(catcher.got) != 0 {
					t.Errorf("%+v, %d left, %d caught", out[0], len(carrier.got), len(catcher.got))
				}
				return
			}
			if out[0].State != channels.Rejected || out[0].Hard || !strings.Contains(out[0].Detail, c.why) || len(carrier.got) != 1 || len(catcher.got) != 1 {
				t.Errorf("%+v, %d left, %d caught; want a refusal that speaks of %q", out[0], len(carrier.got), len(catcher.got), c.why)
			}
			if d, n := tr.Rate("shop.example"); d != 1 || n != 0 {
				t.Errorf("%d count as delivered", d)
			}
		})
	}
}

// A plan decides when, never who: everybody's turn comes, and no hour or day
// holds more than it says.
func TestAPlanSpreadsAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		domain sender.Domain
		people int
		days   []int // most on each day
	}{
		{"warm-up", sender.Domain{Name: "shop.example", Warm: []int{50, 100, 200}, Began: noon}, 500, []int{50, 100, 200, 500}},
		{"so many an hour", sender.Domain{Name: "shop.example", Hourly: 10}, 300, []int{120, 240}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, clock := book(t)
			add(t, b, c.domain)
			tr, _ := traffic(t, b, clock)
			due := make([]time.Time, c.people)
			for i := range due {
				due[i] = clock.at
			}
			days := map[int]int{}
			asked := 0
			for sent, rounds := 0, 0; sent < c.people; rounds++ {
				if rounds > 10_000 {
					t.Fatalf("after %d rounds %d of %d are left out", rounds, c.people-sent, c.people)
				}
				next := clock.at.Add(1000 * time.Hour)
				hour := 0
				for i, at := range due {
					switch {
					case at.IsZero():
						continue
					case !at.After(clock.at):
						asked++
						wait, _ := tr.Wait("shop.example")
						if wait == 0 {
							tr.Sent("shop.example", true, 1)
							due[i] = time.Time{}
							sent, hour = sent+1, hour+1
							days[int(clock.at.Unix()/86400-noon.Unix()/86400)]++
							continue
						}
						due[i] = clock.at.Add(min(wait, 6*time.Hour)) // no message waits longer at once
					}
					if due[i].Before(next) {
						next = due[i]
					}
				}
				if next.Sub(clock.at) > 24*time.Hour && sent < c.people {
					t.Fatalf("%d of %d are left out", c.people-sent, c.people)
				}
				clock.at = next
			}
			for i, want := range c.days {
				if got := days[i]; got > want || got < want/2 && i < len(c.days)-1 {
					t.Errorf("on day %d %d were sent, want at most %d and at least half of it: %v", i, got, want, days)
				}
			}
			if asked > 20*c.people {
				t.Errorf("%d people asked %d times", c.people, asked)
			}
		})
	}
}
