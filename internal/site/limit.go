package site

import (
	"sync"
	"time"
)

// limiter counts how often a key came within a period that begins with its first
// coming. It is for use by many goroutines.
type limiter struct {
	most   int
	within time.Duration

	mu     sync.Mutex
	counts map[string]counted
}

type counted struct {
	since time.Time
	n     int
}

func newLimiter(most int, within time.Duration) *limiter {
	return &limiter{most: most, within: within, counts: map[string]counted{}}
}

// admit counts the key and reports whether it may. When more keys are counted than
// can be, which no shop's customers bring about, new ones may not until old ones
// are over.
func (l *limiter) admit(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, known := l.counts[key]
	if !known && len(l.counts) >= maxRemember {
		for k, old := range l.counts {
			if now.Sub(old.since) >= l.within {
				delete(l.counts, k)
			}
		}
		if len(l.counts) >= maxRemember {
			return false
		}
	}
	if now.Sub(c.since) >= l.within {
		c = counted{since: now}
	}
	c.n = min(c.n+1, l.most+1)
	l.counts[key] = c
	return c.n <= l.most
}
