package intake

import (
	"sync"

	"rapport/internal/core/event"
)

// rates bounds how many messages a second each key may send, with one bucket of
// tokens for each key. A key may go into debt by one body: whether there is room
// is asked before the body is read, when nobody knows how much is in it, and
// what was in it is taken off afterwards.
type rates struct {
	perSecond float64
	buckets   sync.Map // key id → *bucket; as many as there are keys
}

type bucket struct {
	mu     sync.Mutex
	tokens float64
	at     event.Time
}

func (r *rates) of(id string) *bucket {
	if b, ok := r.buckets.Load(id); ok {
		return b.(*bucket)
	}
	b, _ := r.buckets.LoadOrStore(id, &bucket{tokens: r.perSecond * burstSeconds})
	return b.(*bucket)
}

// wait returns for how many seconds the key must pause; zero if it need not.
func (r *rates) wait(id string, now event.Time) int {
	b := r.of(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at != 0 && now > b.at { // a clock that was set back gives nothing
		b.tokens = min(b.tokens+float64(now-b.at)/1000*r.perSecond, r.perSecond*burstSeconds)
	}
	b.at = now
	if b.tokens > 0 {
		return 0
	}
	return 1 + int(-b.tokens/r.perSecond)
}

// charge takes n messages off what the key may send.
func (r *rates) charge(id string, n int) {
	b := r.of(id)
	b.mu.Lock()
	b.tokens -= float64(n)
	b.mu.Unlock()
}
