package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/dispatch"
	"rapport/internal/engine"
	"rapport/internal/mailcatcher"
)

func TestItem19OneRefusalInABatchOfAHundredIsOneRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		reply mailcatcher.Reply
		want  string
	}{
		{"to the recipient", mailcatcher.Reply{Code: 554, Enhanced: [3]int{5, 7, 1}, Text: "no"}, "accepted:99 rejected rejected:1"},
		{"to the message", mailcatcher.Reply{Code: 554, Enhanced: [3]int{5, 6, 0}, Text: "no", AtEnd: true}, "accepted:99 rejected rejected:1"},
		{"by silence after the message", mailcatcher.Reply{Lost: true}, "accepted:99 unknown:1"},
		{"for a moment", mailcatcher.Reply{Code: 451, Enhanced: [3]int{4, 7, 1}, Text: "later"}, "accepted:99 planned deferred:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			catcher, err := mailcatcher.New(mailcatcher.Options{Reject: func(rcpt string) *mailcatcher.Reply {
				if rcpt == "u37@shop.example" {
					return &c.reply
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer catcher.Close()
			if err := catcher.Listen("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			carrier, err := email.New(email.Options{Addr: catcher.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			defer carrier.Close()
			s := newShop(t)
			s.d = dispatch.New(dispatch.Options{
				Store: s.store, Ledger: s.ledger, Channels: map[string]channels.Channel{"email": carrier}, Subject: subject,
				Render: func(c *engine.Claim, now event.Time) (channels.Message, error) {
					m := word(c)
					m.From, m.Subject, m.Date = channels.Party{Address: "hello@shop.example"}, "Hello", now
					m.Headers = []channels.Header{{Name: "List-Unsubscribe", Value: "<https://shop.example/u>"}, {Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"}}
					return m, nil
				},
				Append: s.e.Append, Now: s.clock.Now, Virtual: true, Workers: 1, Batch: 100,
			})
			for i := range 100 {
				s.does(fmt.Sprint("u", i), event.OrderCompleted)
			}
			if n := s.claim(); n != 100 {
				t.Fatalf("%d slots, want 100", n)
			}
			s.deliver(s.d)
			s.want(c.want)
			for range 3 { // nothing of it is handed over again
				s.claim()
				s.deliver(s.d)
			}
			s.want(c.want)
			stats := catcher.Stats()
			got := 99
			if c.reply.Lost {
				got = 100 // it was taken, and nobody told
			}
			if stats.Received != got || stats.Duplicates != 0 || stats.Faulty != 0 {
				t.Errorf("the catcher has %d mails, %d twice, %d faulty (%v); want %d, 0, 0", stats.Received, stats.Duplicates, stats.Faulty, stats.Complaints, got)
			}
		})
	}
}

func TestAChannelThatForgetsToAnswerLeavesAnUnknown(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.provider.answer = func(channels.Message, int) channels.Outcome { return channels.Outcome{} }
	s.does("ada", event.OrderCompleted)
	s.claim()
	s.deliver(s.d)
	s.want("unknown:1")
	if refs, err := s.store.InState(t.Context(), profile.Unknown, profile.DeliveryID{}, 10); err != nil || len(refs) != 1 {
		t.Errorf("InState = %d rows, %v; want the unknown one, so that it can be reported", len(refs), err)
	}
}

// How fast the machine is must not show in the log of a seed.
func TestUnderAVirtualClockAsMuchIsOfferedOnAFastMachineAsOnASlowOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.inFlight = 2
	s.start()
	for i := range 20 {
		s.does(fmt.Sprint("user-", i), "Order Completed")
	}
	for round := range 6 {
		if n := s.claim(); n != 2 {
			t.Fatalf("round %d: %d are offered, want 2", round, n)
		}
		s.d.Measuring(0)
		if round == 3 {
			s.d.Measuring(time.Second) // eight in a second
		}
		s.deliver(s.d)
	}
}
