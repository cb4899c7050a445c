package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/killpoint"
	"rapport/internal/store/sqlite"
)

// ackKills kills a server while clients write down which events were answered
// 200, and then looks for each of them.
func ackKills(t *testing.T, kills int, between time.Duration) {
	h := newHome(t)
	p := h.start(options{})
	acked := map[string]bool{}
	const each = 20 // as many as a process acknowledges before it is killed, at least
	var mu sync.Mutex
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for n := range 6 {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			for i := 0; ctx.Err() == nil; i++ {
				batch := make([]message, 1+r.IntN(20))
				for k := range batch {
					batch[k] = view(fmt.Sprintf("%d-%d-%d", n, i, k), fmt.Sprintf("u%d", r.IntN(500)))
				}
				// Who is not answered sends the same again once, and then gives up:
				// such an event may be there or not, but not twice.
				for range 2 {
					status := h.post(ctx, batch...)
					if status == 200 {
						mu.Lock()
						for _, m := range batch {
							acked[m["messageId"].(string)] = true
						}
						mu.Unlock()
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(2, 2))
	for n := range kills {
		time.Sleep(time.Duration(r.Int64N(int64(between))))
		// A busy machine takes longer to have something to lose.
		until(t, "enough events are acknowledged", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(acked) >= each*(n+1)
		})
		p.kill()
		p = h.start(options{})
	}
	time.Sleep(between)
	cancel()
	clients.Wait()
	p.stop()
	found := map[string]int{}
	for _, e := range h.dump("events") {
		found[e.MessageID]++
	}
	lost, twice := 0, 0
	for id := range acked {
		if found[id] == 0 {
			lost++
		}
	}
	for _, n := range found {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d kills, %d events acknowledged, %d stored", kills, len(acked), len(found))
	if lost > 0 || twice > 0 || len(acked) < each*kills {
		t.Errorf("of %d acknowledged events %d are lost and %d are there twice", len(acked), lost, twice)
	}
}

func TestP1EveryAcknowledgedEventIsThereOnceHoweverOftenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	ackKills(t, 15, 400*time.Millisecond)
}

func TestChaosP1EveryAcknowledgedEventIsThereOnce(t *testing.T) {
	ackKills(t, rounds(t), 800*time.Millisecond)
}

// blind counts the deliveries of a dead process that were begun and of which
// nobody will ever know.
func (h *home) blind() int {
	h.t.Helper()
	l, err := sqlite.OpenLedger(h.t.Context(), sqlite.Options{Dir: h.dir})
	if err != nil {
		h.t.Fatal(err)
	}
	defer l.Close()
	left, err := l.Unfinished(h.t.Context(), event.Never, 1_000_000)
	if err != nil {
		h.t.Fatal(err)
	}
	n := 0
	for i := range left {
		if len(left[i].Receipt) == 0 {
			n++
		}
	}
	return n
}

// dispatchKills kills a server that writes to whoever orders, each time as next
// says, and checks P2: the mail server outside has no mail twice, everybody who
// ordered has exactly one message, and nobody's outcome is unknown but of those
// that the dead processes had begun.
func dispatchKills(t *testing.T, kills int, next func(n int) (kill string, after time.Duration)) {
	h, catcher := newShop(t)
	h.start(options{}).stop()
	people, blind := 0, 0
	for n := range kills {
		kill, after := next(n)
		p := h.launch(options{kill: kill})
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		var mu sync.Mutex
		for range 3 {
			clients.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					people++
					user := fmt.Sprintf("u%d", people)
					mu.Unlock()
					// To the next process, if this one dies before its answer.
					h.insist(t.Context(), orders(user)...)
				}
			})
		}
		var timer <-chan time.Time
		if kill == "" {
			timer = time.After(after)
		} else {
			timer = time.After(patience)
		}
		select {
		case <-p.done:
		case <-timer:
			if kill != "" {
				t.Errorf("nobody came to the point %s in %v", kill, patience)
			}
			p.kill()
		}
		cancel()
		blind += h.blind()
		// Those who were not answered send once more to a process that lives, which
		// also does what the dead one had left undone.
		p = h.start(options{})
		clients.Wait()
		if n == kills-1 {
			before := -1
			until(t, "everybody has their mail", func() bool {
				time.Sleep(300 * time.Millisecond)
				now := catcher.Count()
				quiet := now == before && now >= people-blind
				before = now
				return quiet
			})
		}
		p.stop()
	}
	of, states := map[string]int{}, map[string]int{}
	for _, d := range h.dump("deliveries") {
		of[d.Profile]++
		states[d.State]++
	}
	t.Logf("%d kills, %d people, %v, %d mails, %d begun by dead processes", kills, people, states, catcher.Count(), blind)
	if len(of) != people {
		t.Errorf("%d people ordered and %d have a message", people, len(of))
	}
	for who, n := range of {
		if n != 1 {
			t.Errorf("%s has %d messages, want 1", who, n)
		}
	}
	if n := states["accepted"] + states["rejected"] + states["unknown"]; n != people {
		t.Errorf("deliveries are %v: %d of %d have not ended", states, people-n, people)
	}
	// It may be fewer: a note in the ledger may be lost with the process whose
	// receipt had reached the log.
	if states["unknown"] > blind {
		t.Errorf("the outcome of %d is unknown; the dead processes had begun %d that nobody knows of", states["unknown"], blind)
	}
	stats := catcher.Stats()
	if stats.Duplicates > 0 {
		t.Errorf("%d mails were sent twice", stats.Duplicates)
	}
	if n := stats.Received; n < states["accepted"] || n > states["accepted"]+states["unknown"] {
		t.Errorf("the mail server has %d mails, the ledger says %d accepted and %d unknown", n, states["accepted"], states["unknown"])
	}
	if _, err := h.tool("doctor"); err != nil {
		t.Errorf("doctor: %v", err)
	}
}

func TestItem01And02NothingIsSentTwiceOrLostWhereverTheServerIsKilled(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	dispatchKills(t, len(killpoint.Points)+4, func(n int) (string, time.Duration) {
		if n < len(killpoint.Points) {
			return fmt.Sprintf("%s:%d", killpoint.Points[n], 1+r.IntN(8)), 0
		}
		return "", 50*time.Millisecond + time.Duration(r.IntN(500))*time.Millisecond
	})
}

func TestChaosP2NothingIsSentTwiceOrLost(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	dispatchKills(t, rounds(t), func(n int) (string, time.Duration) {
		if n%2 == 0 {
			return fmt.Sprintf("%s:%d", killpoint.Points[n/2%len(killpoint.Points)], 1+r.IntN(40)), 0
		}
		return "", time.Duration(r.IntN(1500)) * time.Millisecond
	})
}

func TestAStartWithAnUnknownKillPointIsRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.launch(options{kill: "after-lunch"})
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if matches, _ := filepath.Glob(h.dir); len(matches) > 0 {
		t.Error("a refused start made a data directory")
	}
}
