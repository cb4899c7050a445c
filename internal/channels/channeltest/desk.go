package channeltest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rapport/internal/channels"
)

// Desk is what the fakes of HTTP providers have in common: their books, and how
// they are told what to do. What a provider checks and answers is each fake's own.
type Desk struct {
	URL string // where the fake listens, on loopback

	mu        sync.Mutex
	taken     map[string]int // by delivery
	forgotten bool
	busy      *string
}

// Open starts a fake that answers by the handler until the test ends.
func Open(t *testing.T, handler func(d *Desk, w http.ResponseWriter, r *http.Request)) *Desk {
	t.Helper()
	d := &Desk{taken: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(d, w, r) }))
	t.Cleanup(server.Close)
	d.URL = server.URL
	return d
}

// Take writes down that a message was taken for good.
func (d *Desk) Take(delivery string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken[delivery]++
}

// Taken returns how often the message was taken.
func (d *Desk) Taken(m channels.Message) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.taken[m.Delivery]
}

// Forget makes Forgotten true.
func (d *Desk) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgotten = true
}

// Forgotten reports whether the fake refuses whoever asks.
func (d *Desk) Forgotten() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.forgotten
}

// SetBusy makes the fake busy, with this Retry-After.
func (d *Desk) SetBusy(retryAfter string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = &retryAfter
}

// Busy reports whether the fake is busy, and sets its Retry-After if so.
func (d *Desk) Busy(h http.Header) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy != nil && *d.busy != "" {
		h.Set("Retry-After", *d.busy)
	}
	return d.busy != nil
}

// Vanish ends an exchange without an answer.
func Vanish() { panic(http.ErrAbortHandler) }

// Fated returns the fate that an address asks for: "reject.c1@people.example".
func Fated(address string) Fate {
	word, _, _ := strings.Cut(address, ".")
	for f, name := range fateNames {
		if name == word {
			return Fate(f)
		}
	}
	return Accept
}

// MarkFate puts a fate into the address of a message.
func MarkFate(m *channels.Message, f Fate) { m.To.Address = f.String() + "." + m.To.Address }

// Peer returns the peer of a channel that speaks to the desk's fake.
func (d *Desk) Peer(c channels.Channel, together ...Fate) Peer {
	return Peer{
		Channel: c, Fates: []Fate{Accept, Reject, Policy, Defer, Lost}, Together: together,
		Mark: MarkFate, Taken: d.Taken, Forget: d.Forget, Busy: d.SetBusy,
	}
}
