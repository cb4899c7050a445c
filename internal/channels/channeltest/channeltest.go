// Package channeltest is the conformance suite of the port
// [rapport/internal/channels]: a promise that is not here is not a promise.
//
// An adapter is tested against a peer that does what it is told. [Peer] says how
// to make a message meet a certain fate there, and how often the peer has taken
// a message, whatever it answered.
package channeltest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
)

// Fate is what the peer shall do with a message.
type Fate uint8

// The fates. Lost is taken by the peer, which then falls silent; Cut breaks the
// connection before the peer can have taken the message.
const (
	Accept Fate = iota
	Reject      // refused: the address is bad
	Policy      // refused: the sender is not trusted
	Defer
	Lost
	Cut
)

var fateNames = [...]string{"accept", "reject", "policy", "defer", "lost", "cut"}

// String returns the fate's name.
func (f Fate) String() string { return fateNames[f] }

// want is the state that each fate must be reported as.
var want = [...]channels.State{channels.Accepted, channels.Rejected, channels.Rejected, channels.Deferred, channels.Unknown, channels.Deferred}

// Peer is an adapter with the provider it talks to, fresh for each test.
type Peer struct {
	Channel channels.Channel

	// Fates lists the fates that the peer can bring about. Accept must be one.
	Fates []Fate

	// Together lists those of the fates that befall all messages of one request: of
	// a batch whose answer is lost, every answer is lost. Default: none, each
	// message meets its own.
	Together []Fate

	// Mark changes the message so that it meets the fate: usually by an address
	// that the peer knows.
	Mark func(m *channels.Message, f Fate)

	// Taken returns how often the peer has taken the message for good.
	Taken func(m channels.Message) int

	// Forget makes the peer refuse from now on whoever we say we are. Nil: it never
	// asks who we are.
	Forget func()

	// Busy makes the peer answer from now on that it is busy, and when to come
	// again, in these words. Nil: it cannot say when.
	Busy func(retryAfter string)
}

// Message returns a message that any channel can carry. Its address names n.
func Message(n int) channels.Message {
	return channels.Message{
		Delivery: fmt.Sprintf("%032x", n+1),
		Channel:  "email",
		From:     channels.Party{Name: "Shop", Address: "news@shop.example"},
		To:       channels.Party{Name: "Customer", Address: fmt.Sprintf("c%d@people.example", n)},
		Subject:  fmt.Sprintf("Letter %d", n),
		HTML:     "<p>Hello</p>",
		Text:     "Hello",
		Headers: []channels.Header{
			{Name: "List-Unsubscribe", Value: "<https://shop.example/u/token>"},
			{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
		},
		Date: event.At(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)),
	}
}

// Run tests that an adapter keeps the promises of [channels.Channel]. Open makes
// a fresh adapter and peer and cleans them up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Peer) {
	t.Helper()
	t.Run("an empty batch has no outcomes", func(t *testing.T) {
		t.Parallel()
		if got := open(t).Channel.Send(t.Context(), nil); len(got) != 0 {
			t.Fatalf("Send of nothing = %v, want nothing", got)
		}
	})
	t.Run("each message meets its own fate", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		for _, f := range p.Fates {
			m := p.message(1000+int(f), f)
			check(t, p, m, f, one(t, p, m))
		}
	})
	t.Run("a batch has one outcome for each message, in order", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		var batch []channels.Message
		var fates []Fate
		own := slices.DeleteFunc(slices.Clone(p.Fates), func(f Fate) bool { return slices.Contains(p.Together, f) })
		for i := range 60 {
			f := own[i*7%len(own)]
			batch, fates = append(batch, p.message(i, f)), append(fates, f)
		}
		got := p.Channel.Send(t.Context(), batch)
		if len(got) != len(batch) {
			t.Fatalf("%d outcomes for %d messages", len(got), len(batch))
		}
		for i, o := range got {
			check(t, p, batch[i], fates[i], o)
		}
	})
	t.Run("what befalls a request befalls no message outside it", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		for _, f := range p.Together {
			n := 2000 + 10*int(f)
			batch := []channels.Message{p.message(n, Accept), p.message(n+1, f), p.message(n+2, Accept)}
			for i, o := range p.Channel.Send(t.Context(), batch) {
				got := f
				if i != 1 && o.State == channels.Accepted {
					got = Accept // it travelled apart
				}
				check(t, p, batch[i], got, o)
			}
		}
	})
	t.Run("whoever does not know us blames no recipient", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		if p.Forget == nil {
			t.Skip("this peer never asks who we are")
		}
		p.Forget()
		batch := []channels.Message{p.message(1, Accept), p.message(2, Accept), p.message(3, Reject)}
		for i, o := range p.Channel.Send(t.Context(), batch) {
			check(t, p, batch[i], Defer, o)
		}
	})
	t.Run("item 30: a busy peer is left alone for as long as it asks, within bounds", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			words       string
			least, most time.Duration
		}{
			{"3600", time.Hour, time.Hour},
			{"5", 5 * time.Second, 5 * time.Second},
			{"", time.Second, 10 * time.Minute},
			{"soon", time.Second, 10 * time.Minute},
			{"-5", time.Second, 10 * time.Minute},
			{"0", time.Second, 10 * time.Minute},
			{"Fri, 31 Dec 1999 23:59:59 GMT", time.Second, 10 * time.Minute},
			{"99999999999999999999999", time.Second, 24 * time.Hour},
			{"1e300", time.Second, 24 * time.Hour},
			{"NaN", time.Second, 10 * time.Minute},
		} {
			p := open(t)
			if p.Busy == nil {
				t.Skip("this peer cannot say when to come again")
			}
			p.Busy(c.words)
			m := p.message(1, Accept)
			o := one(t, p, m)
			check(t, p, m, Defer, o)
			if o.RetryAfter < c.least || o.RetryAfter > c.most {
				t.Errorf("Retry-After %q: to be tried again in %v, want from %v to %v", c.words, o.RetryAfter, c.least, c.most)
			}
		}
	})
	t.Run("of 100 messages the refused one is refused and the others go out once", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		var batch []channels.Message
		for i := range 100 {
			f := Accept
			if i == 37 {
				f = Reject
			}
			batch = append(batch, p.message(i, f))
		}
		got := p.Channel.Send(t.Context(), batch)
		for i, o := range got {
			f := Accept
			if i == 37 {
				f = Reject
			}
			check(t, p, batch[i], f, o)
		}
	})
	t.Run("a bad message is rejected before it leaves and spoils no other", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		bad := p.message(1, Accept)
		bad.Delivery = "not an id"
		good := p.message(2, Accept)
		got := p.Channel.Send(t.Context(), []channels.Message{bad, good})
		if len(got) != 2 || got[0].State != channels.Rejected || got[0].Hard || got[0].Detail == "" {
			t.Fatalf("outcomes = %+v, want the first rejected with a reason", got)
		}
		if p.Taken(bad) != 0 {
			t.Fatal("a message without a delivery id reached the peer")
		}
		check(t, p, good, Accept, got[1])
	})
	t.Run("more than MaxBatch is deferred, not sent", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		batch := make([]channels.Message, channels.MaxBatch+2)
		for i := range batch {
			batch[i] = p.message(i, Accept)
		}
		got := p.Channel.Send(t.Context(), batch)
		if len(got) != len(batch) {
			t.Fatalf("%d outcomes for %d messages", len(got), len(batch))
		}
		for i := channels.MaxBatch; i < len(batch); i++ {
			if got[i].State != channels.Deferred || got[i].RetryAfter <= 0 || p.Taken(batch[i]) != 0 {
				t.Fatalf("message %d: %+v, taken %d times; want deferred", i, got[i], p.Taken(batch[i]))
			}
		}
		check(t, p, batch[0], Accept, got[0])
	})
	t.Run("a context that has ended sends nothing", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := p.message(1, Accept)
		got := p.Channel.Send(ctx, []channels.Message{m, m})
		if len(got) != 2 || got[0].State != channels.Deferred || got[1].State != channels.Deferred || p.Taken(m) != 0 {
			t.Fatalf("outcomes = %+v, taken %d times; want two deferred and none taken", got, p.Taken(m))
		}
	})
	t.Run("many goroutines may send at once", func(t *testing.T) {
		t.Parallel()
		p := open(t)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				var batch []channels.Message
				for i := range 20 {
					batch = append(batch, p.message(g*100+i, Accept))
				}
				for i, o := range p.Channel.Send(t.Context(), batch) {
					check(t, p, batch[i], Accept, o)
				}
			})
		}
		wg.Wait()
	})
}

func (p Peer) message(n int, f Fate) channels.Message {
	m := Message(n)
	if f != Accept {
		p.Mark(&m, f)
	}
	return m
}

func one(t *testing.T, p Peer, m channels.Message) channels.Outcome {
	t.Helper()
	got := p.Channel.Send(t.Context(), []channels.Message{m})
	if len(got) != 1 {
		t.Fatalf("%d outcomes for one message", len(got))
	}
	return got[0]
}

// check compares an outcome with what the peer was told to do and did.
func check(t *testing.T, p Peer, m channels.Message, f Fate, o channels.Outcome) {
	t.Helper()
	if o.State != want[f] {
		t.Errorf("%s, told to %s: outcome %+v, want %s", m.To.Address, f, o, want[f])
	}
	if o.Hard != (f == Reject) {
		t.Errorf("%s, told to %s: Hard = %t", m.To.Address, f, o.Hard)
	}
	if (o.RetryAfter > 0) != (o.State == channels.Deferred) {
		t.Errorf("%s, told to %s: %s with RetryAfter %v", m.To.Address, f, o.State, o.RetryAfter)
	}
	if len(o.Detail) > channels.MaxDetail || o.State != channels.Accepted && o.Detail == "" {
		t.Errorf("%s, told to %s: detail %q", m.To.Address, f, o.Detail)
	}
	taken, most := p.Taken(m), 0
	switch f {
	case Accept:
		if taken != 1 {
			t.Errorf("%s was accepted and taken %d times, want once", m.To.Address, taken)
		}
		return
	case Lost:
		most = 1
	}
	if taken > most {
		t.Errorf("%s, told to %s, was taken %d times", m.To.Address, f, taken)
	}
}
