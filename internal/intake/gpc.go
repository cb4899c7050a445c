package intake

import (
	"net/http"
	"strconv"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// The consent that Global Privacy Control refuses, on the channel on which it is
// said: that data about a person is sold or shared for other people's advertising
// (California Civil Code 1798.135; the signal is the header Sec-GPC).
const (
	SaleShare        = "sale_share"
	SaleShareChannel = "web"
)

// dayMillis is a day in the unit of [event.Time].
const dayMillis = 24 * 60 * 60 * 1000

// maxTold bounds the browsers that are remembered to have said so today, some 10 MB.
const maxTold = 200_000

// told remembers of which homes an opt-out is in the log today, so that a busy
// browser does not say it with every click. What it forgets is said again, and
// the profile knows the id.
type told struct {
	mu    sync.Mutex
	day   int64
	homes map[identity.ID]struct{}
}

// optsOut reports whether a browser says with its request that data about its
// person must not be sold or shared.
func optsOut(r *http.Request) bool { return r.Header.Get("Sec-GPC") == "1" }

// optOut adds to the events of a browser an opt-out for each home that has not
// said so today. A server's own requests speak of nobody's browser.
func (s *Server) optOut(r *http.Request, events []Addressed) []Addressed {
	if !optsOut(r) {
		return events
	}
	now := s.opt.Now()
	day := int64(now) / dayMillis
	heard := len(events)
	for i := range events[:heard] {
		e := &events[i].Event
		if e.Trust != event.Public || s.told.has(events[i].To, day) || addressedIn(events[heard:], events[i].To) {
			continue
		}
		var b event.Builder
		b.SetText("channel", SaleShareChannel).SetText("purpose", SaleShare).SetText("state", "denied").SetText("evidence", "Sec-GPC: 1").SetText("wording", "Global Privacy Control")
		events = append(events, Addressed{events[i].To, event.Event{
			ID: event.ID("gpc:" + events[i].To.String() + ":" + strconv.FormatInt(day, 36)), Type: event.Track, Name: event.ConsentChanged,
			User: e.User, Anon: e.Anon, At: now, Raw: now, Origin: event.Live, Trust: event.Public, Source: e.Source, Props: b.Object(),
		}})
	}
	return events
}

func addressedIn(events []Addressed, home identity.ID) bool {
	for i := range events {
		if events[i].To == home {
			return true
		}
	}
	return false
}

// note remembers the opt-outs that are in the log now.
func (s *Server) note(r *http.Request, events []Addressed) {
	if !optsOut(r) {
		return
	}
	for i := range events {
		if e := &events[i].Event; e.Name == event.ConsentChanged && e.Props.Text("purpose") == SaleShare {
			s.told.add(events[i].To, int64(e.At)/dayMillis)
		}
	}
}

func (t *told) has(home identity.ID, day int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, said := t.homes[home]
	return said && t.day == day
}

func (t *told) add(home identity.ID, day int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.day != day || len(t.homes) >= maxTold {
		t.day, t.homes = day, map[identity.ID]struct{}{}
	}
	t.homes[home] = struct{}{}
}
