package intake

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/keys"
)

// Addressed is an event and the profile to which it goes.
type Addressed struct {
	To    identity.ID // the home of the event's strongest identifier
	Event event.Event
}

// Limits bound what all requests together may take. A zero field has its default.
type Limits struct {
	// InFlight is how many bytes of bodies may be in memory at once. Default:
	// DefaultInFlight. It should be several times MaxUnzipped.
	InFlight int64
	// Rate is how many messages a second one key may send. Default: DefaultRate.
	Rate int
}

// Options are what a [Server] needs.
type Options struct {
	// Keys knows who may send. Required.
	Keys Keys

	// Append makes all the events durable, or returns an error and promises
	// nothing: it may be called again with the same events. It must not keep the
	// slice; it may keep the events. Unavailable becomes 429, and with
	// [ErrBroken] or an error of the disk in its chain 503. Required.
	Append func(ctx context.Context, events []Addressed) error

	// Quarantine keeps rejects for people to see. It may keep the slice. Its
	// failure is logged and changes no answer: the answer itself names each
	// reject. Nil: they are only answered.
	Quarantine func(ctx context.Context, rejects []Reject) error

	// Now returns the time at which what is being read was received. Required.
	Now func() event.Time

	// Workspace makes profile ids from identifiers.
	Workspace identity.Key

	// Limits bound the server. The zero Limits are the defaults.
	Limits Limits

	// PublicURL is where shop pages reach this server, such as
	// "https://track.shop.example", for the settings that SDKs ask for. Default:
	// the host of the request.
	PublicURL string

	// Locate tells the town of a network's address. Nil: nobody does.
	Locate func(netip.Addr) Town

	// Log gets what goes wrong on our side. Default: slog.Default().
	Log *slog.Logger
}

// Server is the tracking API. Timeouts for slow senders are the http.Server's.
type Server struct {
	opt   Options
	gate  gate
	rates rates
	told  told
	spoke atomic.Int64 // when our side's last failure was logged, [event.Time]
}

// speakEvery is how often, in milliseconds, failures of our side are logged. A
// broken log refuses thousands of requests a second, all for one reason.
const speakEvery = 1000

// New returns a server, ready to be mounted under [Patterns].
func New(opt Options) *Server {
	if opt.Limits.InFlight <= 0 {
		opt.Limits.InFlight = DefaultInFlight
	}
	if opt.Limits.Rate <= 0 {
		opt.Limits.Rate = DefaultRate
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	return &Server{opt: opt, gate: gate{limit: opt.Limits.InFlight}, rates: rates{perSecond: float64(opt.Limits.Rate)}}
}

// ServeHTTP answers one request of an SDK.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cors(w.Header(), r.Header.Get("Origin"))
	if err := s.serve(w, r); err != nil {
		refused := refusalOf(err)
		if refused.status >= http.StatusInternalServerError && s.maySpeak() {
			s.opt.Log.ErrorContext(r.Context(), "events could not be taken", "path", r.URL.Path, "error", err)
		}
		refused.write(w)
	}
}

func (s *Server) maySpeak() bool {
	now, last := int64(s.opt.Now()), s.spoke.Load()
	return (last == 0 || now-last >= speakEvery || now < last) && s.spoke.CompareAndSwap(last, now)
}

// serve finds what the path asks for. It has answered unless it returns an error.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	route, key, ok := routeOf(r.URL.Path)
	if !ok {
		return fault.New(fault.NotFound, "there is nothing at this path; events go to /v1/batch or /v1/track")
	}
	method := http.MethodPost
	if route.kind == settings {
		method = http.MethodGet
	}
	switch r.Method {
	case http.MethodOptions:
		preflight(w)
		return nil
	case method:
	default:
		w.Header().Set("Allow", method+", OPTIONS")
		return &refusal{status: http.StatusMethodNotAllowed, answer: answer{Error: "this path takes " + method}}
	}
	switch {
	case key != "":
		return s.segmentSettings(w, r, key)
	case route.kind == settings:
		return s.rudderSettings(w, r)
	case route.kind == metrics:
		// What an SDK counts about itself is nobody's event. An answer other than
		// 200 would only make it say so in shoppers' consoles.
		writeBytes(w, http.StatusOK, success)
		return nil
	}
	return s.hear(w, r, route)
}

// hear takes the messages of one body. It answers 200 once they are durable, and
// the same 200 if they have been heard before.
func (s *Server) hear(w http.ResponseWriter, r *http.Request, route route) error {
	now := s.opt.Now()
	key, known := s.authorize(r)
	if known {
		if err := s.admit(key, now); err != nil {
			return err
		}
	}
	// Without a key in the headers it may be in the body, which therefore has to
	// be read, within the limits of a stranger.
	_, limit, _ := trustOf(key.Kind)
	body, err := readBody(w, r, &s.gate, limit)
	if err != nil {
		return err
	}
	defer body.release()

	d := borrow()
	defer d.giveBack()
	unreadable := d.open(body.b, route.kind == batch)
	if !known {
		if unreadable == nil && route.kind == single {
			d.key(body.b)
		}
		if key, known = s.find(d.writeKey); !known {
			return errDenied
		}
		if err := s.admit(key, now); err != nil {
			return err
		}
	}
	from := Defaults{Type: route.typ, Received: now, Origin: route.origin, Source: key.Name}
	from.Trust, _, from.MaxEvent = trustOf(key.Kind)
	if sent := r.Header.Get("SentAt"); sent != "" {
		// RudderStack's browser SDK. Unreadable, it is as if not said.
		from.SentAt, _ = parseTime([]byte(sent))
	}
	if unreadable == nil {
		d.out, unreadable = d.decode(d.out, from)
	}
	if unreadable != nil {
		s.rates.charge(key.ID, 1)
		_, reason := fault.Of(unreadable)
		s.quarantine(r.Context(), []Reject{{Index: -1, Reason: reason, Raw: beginning(body.b), From: from}})
		return unreadable
	}
	s.rates.charge(key.ID, len(d.out))
	return s.take(w, r, d.out)
}

// admit asks whether the key may send at all now.
func (s *Server) admit(key keys.Key, now event.Time) error {
	if wait := s.rates.wait(key.ID, now); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, after: wait, answer: answer{Error: "this key sends more than its share; send this again later"}}
	}
	return nil
}

// take appends what is good, keeps what is not, and answers.
func (s *Server) take(w http.ResponseWriter, r *http.Request, all []Decoded) error {
	events := make([]Addressed, 0, len(all))
	var rejects []Reject
	var who identity.Identifier
	var home identity.ID
	around := s.surroundings(r)
	for i := range all {
		d := &all[i]
		if d.Reject != nil {
			rejects = append(rejects, *d.Reject)
			continue
		}
		// Most batches are of one browser: its home need not be computed each time.
		if d.Who != who {
			who, home = d.Who, s.opt.Workspace.Home(d.Who)
		}
		d.Event.Context = around.describe(&d.Event)
		events = append(events, Addressed{home, d.Event})
	}
	if len(events) > 0 {
		events = s.optOut(r, events)
		if err := s.opt.Append(r.Context(), events); err != nil {
			// The sender will send all of it again, so the rejects are not kept yet.
			return err
		}
		s.note(r, events)
	}
	if len(rejects) == 0 {
		writeBytes(w, http.StatusOK, success)
		return nil
	}
	s.quarantine(r.Context(), rejects)
	if len(events) == 0 {
		return refuseAll(rejects)
	}
	a := answer{Success: true}
	a.list(rejects)
	writeJSON(w, http.StatusOK, &a)
	return nil
}

func (s *Server) quarantine(ctx context.Context, rejects []Reject) {
	if s.opt.Quarantine == nil {
		return
	}
	// What the client was told must also be there when the client has gone.
	if err := s.opt.Quarantine(context.WithoutCancel(ctx), rejects); err != nil {
		s.opt.Log.ErrorContext(ctx, "rejected messages could not be kept", "count", len(rejects), "error", err)
	}
}

// beginning returns a copy of as much of an unreadable body as the quarantine keeps.
func beginning(body []byte) []byte {
	return append([]byte(nil), body[:min(len(body), keptOfTooLarge)]...)
}
