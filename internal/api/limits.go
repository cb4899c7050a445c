package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultRate is how many requests a second a key may make: far more than any
	// tool of a shop needs, and far less than would be felt by the shop's customers.
	DefaultRate = 50
	// burstSeconds is for how many seconds a key may save up.
	burstSeconds = 5
	// mostWrong is how many wrong keys an address may present within wrongWithin.
	// A key cannot be guessed; this bounds what trying costs us.
	mostWrong   = 20
	wrongWithin = time.Minute
	// maxPeers bounds how many addresses are remembered for it: 100 bytes each.
	maxPeers = 10_000
)

// limits bound what keys ask and what strangers try. It is for use by many
// goroutines. Its clock is the wall's: a virtual one may stand still.
type limits struct {
	perSecond float64

	mu      sync.Mutex
	buckets map[string]*bucket // by key id: as many as there are keys
	peers   map[string]*trial
}

type bucket struct {
	tokens float64
	at     time.Time
}

type trial struct {
	n     int
	since time.Time
}

func newLimits(perSecond int) *limits {
	return &limits{perSecond: float64(perSecond), buckets: map[string]*bucket{}, peers: map[string]*trial{}}
}

// take counts a request of a key, and returns for how many seconds it must wait
// instead; zero if it need not.
func (l *limits) take(key string) int {
	if l.perSecond < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.buckets[key]
	if b == nil {
		b = &bucket{tokens: l.perSecond * burstSeconds, at: now}
		l.buckets[key] = b
	}
	b.tokens = min(b.tokens+now.Sub(b.at).Seconds()*l.perSecond, l.perSecond*burstSeconds)
	b.at = now
	if b.tokens < 1 {
		return 1
	}
	b.tokens--
	return 0
}

// wrong notes that an address presented no right key, and returns for how many
// seconds it must wait before the next one; zero if it need not. A right key from
// there is taken all the same: who sits behind a proxy shares its address.
func (l *limits) wrong(from string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	t := l.peers[from]
	if t == nil || now.Sub(t.since) >= wrongWithin {
		if len(l.peers) >= maxPeers {
			for k, old := range l.peers {
				if now.Sub(old.since) >= wrongWithin {
					delete(l.peers, k)
				}
			}
			if len(l.peers) >= maxPeers {
				clear(l.peers) // an attack from everywhere: keys still cannot be guessed
			}
		}
		t = &trial{since: now}
		l.peers[from] = t
	}
	if t.n++; t.n <= mostWrong {
		return 0
	}
	return 1 + int((wrongWithin - now.Sub(t.since)).Seconds())
}

// testing bounds the tests that somebody sends. It is for use by many goroutines.
type testing struct {
	mu   sync.Mutex
	sent map[string][]time.Time // by person or key: as many as there are
}

// take counts a test, and returns for how many seconds who sends it must wait
// instead; zero if they need not.
func (l *testing) take(who string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent == nil {
		l.sent = map[string][]time.Time{}
	}
	list := slices.DeleteFunc(l.sent[who], func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	if len(list) >= testsAnHour {
		l.sent[who] = list
		return 1 + int((time.Hour - now.Sub(list[0])).Seconds())
	}
	l.sent[who] = append(list, now)
	return 0
}

// peer returns who speaks: the address of the connection, which whoever mounts the API
// has put right if a proxy in front is trusted. What a header says anybody could say.
//
// Of IPv6 it is the network: whoever has one address has as many as they like.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Unmap().Is6() {
		if network, err := a.WithZone("").Prefix(household); err == nil {
			return network.String()
		}
	}
	return host
}

// household is how many bits of an IPv6 address name a network that one household, or
// one machine that is rented, has for itself.
const household = 64
