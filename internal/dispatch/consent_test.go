package dispatch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

func TestItem18AnUnsubscribeBetweenRenderingAndHandOverIsNotSent(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"person", "address", "a person who joined"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.does("ada", event.OrderCompleted)
			s.does("eve", event.OrderCompleted)
			s.claim()
			s.render = func(c *engine.Claim, _ event.Time) (channels.Message, error) {
				m := word(c)
				if m.To.Address == "ada@shop.example" {
					who := [16]byte(c.Profile.ID)
					switch by {
					case "address":
						who = subject("email", m.To.Address)
					case "a person who joined":
						who = [16]byte{9}
						joined := *c.Profile
						joined.Strands = append(joined.Strands, identity.ID(who))
						c.Profile = &joined
					}
					s.must(s.ledger.Suppress(t.Context(), store.Suppression{Subject: who, Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed, At: s.clock.Now()}))
				}
				return m, nil
			}
			s.deliver(s.d)
			s.want("accepted:1 dropped suppressed:1")
			if n, _ := s.provider.copies(); n != 1 {
				t.Errorf("%d messages left, want eve's only", n)
			}
		})
	}
}

func TestAnUnsubscribeFromMarketingDoesNotStopWhatIsOwed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ada := s.does("ada", "Receipt Wanted")
	s.must(s.ledger.Suppress(t.Context(), store.Suppression{Subject: ada, Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed}))
	s.claim()
	s.deliver(s.d)
	s.want("accepted:1")
}

// history checks P3 on a ledger: each event gets a number from one counter. A
// Start that was called after a Suppress had returned must not answer Go.
type history struct {
	store.Ledger
	counter    atomic.Int64
	mu         sync.Mutex
	suppressed map[[16]byte]int64 // when Suppress had returned
	going      map[[16]byte]int64 // when the Start that answered Go was called
}

func (h *history) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	called := h.counter.Add(1)
	answers, err := h.Ledger.Start(ctx, batch)
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, a := range answers {
		if a == store.Go {
			for _, subject := range batch[i].Subjects {
				h.going[subject] = max(h.going[subject], called)
			}
		}
	}
	return answers, err
}

func (h *history) Suppress(ctx context.Context, s store.Suppression) error {
	err := h.Ledger.Suppress(ctx, s)
	returned := h.counter.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, before := h.suppressed[s.Subject]; !before && err == nil {
		h.suppressed[s.Subject] = returned
	}
	return err
}

func newHistory(l store.Ledger) *history {
	return &history{Ledger: l, suppressed: map[[16]byte]int64{}, going: map[[16]byte]int64{}}
}

// broken counts the people who were written to after their unsubscribe was
// confirmed, and those for whom the two met in either order.
func (h *history) broken() (broken, met int) {
	for subject, returned := range h.suppressed {
		called, went := h.going[subject]
		if went {
			met++
			if called > returned {
				broken++
			}
		}
	}
	return broken, met
}

func TestItem18NoHandOverBeginsAfterAnUnsubscribeWasConfirmed(t *testing.T) {
	t.Parallel()
	const people, rounds = 300, 6
	for _, kind := range []string{"memory", "sqlite"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var ledger store.Ledger = memory.NewLedger()
			if kind == "sqlite" {
				l, err := sqlite.OpenLedger(t.Context(), sqlite.Options{Dir: t.TempDir(), Sync: "off"})
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				ledger = l
			}
			h := newHistory(ledger)
			who := func(n int) [16]byte { return [16]byte{1, byte(n), byte(n >> 8)} }
			var work sync.WaitGroup
			for worker := range 4 {
				work.Go(func() { // hands over to everybody, again and again
					for round := range rounds {
						for from := 0; from < people; from += 20 {
							batch := make([]store.Start, 20)
							for i := range batch {
								n := from + i
								batch[i] = store.Start{
									ID: profile.DeliveryID{byte(n), byte(n >> 8), byte(round), byte(worker)}, Fence: 1,
									Channel: "email", Purpose: "marketing", Subjects: [][16]byte{who(n)},
								}
							}
							if _, err := h.Start(context.Background(), batch); err != nil {
								t.Error(err)
								return
							}
						}
					}
				})
				work.Go(func() { // unsubscribes them one by one
					r := rand.New(rand.NewPCG(7, uint64(worker)))
					for range people / 4 {
						s := store.Suppression{Subject: who(r.IntN(people)), Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed}
						if err := h.Suppress(context.Background(), s); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			work.Wait()
			broken, met := h.broken()
			if broken > 0 {
				t.Errorf("%d of %d people were written to after their unsubscribe was confirmed", broken, len(h.suppressed))
			}
			if met < people/20 {
				t.Errorf("only %d of %d people were written to and unsubscribed: the two did not race", met, people)
			}
		})
	}
}

func TestItem18UnsubscribesRaceWithDispatch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	h := newHistory(s.ledger)
	s.ledger = h
	s.start()
	var people []identity.ID
	for i := range 400 {
		people = append(people, s.does(fmt.Sprint("u", i), event.OrderCompleted))
	}
	s.claim()
	var leaving sync.WaitGroup
	leaving.Go(func() {
		for i, p := range rand.New(rand.NewPCG(1, 1)).Perm(len(people)) {
			if i%2 == 0 {
				continue
			}
			if err := h.Suppress(context.Background(), store.Suppression{Subject: people[p], Channel: "email", Purpose: "marketing", Reason: store.Unsubscribed}); err != nil {
				t.Error(err)
			}
		}
	})
	s.deliver(s.d)
	leaving.Wait()
	if broken, _ := h.broken(); broken > 0 {
		t.Errorf("%d people were written to after their unsubscribe was confirmed", broken)
	}
	states := s.states()
	if states["accepted"]+states["dropped suppressed"] != len(people) {
		t.Errorf("deliveries are %v, want %d accepted or dropped", states, len(people))
	}
	if n, twice := s.provider.copies(); n != states["accepted"] || twice != 0 {
		t.Errorf("%d messages, %d twice; %d are told as accepted", n, twice, states["accepted"])
	}
}
