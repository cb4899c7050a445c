package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/live"
)

// streamLine is one line of the stream.
type streamLine struct {
	At       event.Time      `json:"at"`
	Outcome  string          `json:"outcome"`
	Name     string          `json:"name"`
	Source   string          `json:"source,omitempty"`
	Customer string          `json:"customer,omitempty"`
	Who      string          `json:"who,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Field    string          `json:"field,omitempty"`
	Event    json.RawMessage `json:"event,omitempty"`
	Raw      string          `json:"raw,omitempty"`
	Clipped  bool            `json:"clipped,omitempty"`
}

// streamed is one message of the stream.
type streamed struct {
	Lost  int64        `json:"lost"`
	Lines []streamLine `json:"lines"`
}

const (
	// maxShown bounds the JSON of one event in the stream: an order of forty lines.
	maxShown = 8 << 10
	// gather is how long lines are gathered, so that a busy shop is ten messages a
	// second and not two thousand.
	gather = 100 * time.Millisecond
	// heartbeat is how often a stream says that it lives, and is asked whether it may.
	heartbeat = 10 * time.Second
	// writeFor is how long a reader may take for one message before it is given up.
	writeFor = 20 * time.Second
	// lookEvery is how often it is asked what was put aside while it was applied.
	lookEvery = time.Second / 2
	// seenAside is how many of the newest events that were put aside are looked at.
	seenAside = 50
)

// stream adds the operation by which people see what comes in.
func (a *API) stream() {
	route(a, operation{
		method: http.MethodGet, path: "/events/stream", scope: "read", tag: "events", summary: "See what comes in, as it comes in",
		about: "Server-sent events (text/event-stream). Each message lines has {lost, lines}: lines with at, outcome, name, source, customer, who, reason, field and event; lost is how many were left out because you read too slowly. Who only analyses sees no names and addresses.",
	}, func(ctx context.Context, in *struct {
		Name     string `query:"name" maxLength:"200" doc:"Only events whose name has this in it."`
		Source   string `query:"source" maxLength:"200" doc:"Only of this source: the name of a key."`
		Outcome  string `query:"outcome" enum:"accepted,rejected,quarantined"`
		Customer string `query:"customer" maxLength:"40" doc:"Only of the customer of this id."`
	},
	) (*huma.StreamResponse, error) {
		if a.o.Live == nil {
			return nil, fault.New(fault.Unavailable, "this server has no stream")
		}
		f := live.Filter{Name: in.Name, Source: in.Source, Outcome: live.Outcome(in.Outcome)}
		if in.Customer != "" {
			id, err := identity.ParseID(in.Customer)
			if err != nil {
				return nil, fault.New(fault.Invalid, "customer is the id of a customer")
			}
			f.To = id
			if p, err := a.o.Node.Profile(ctx, id); err != nil {
				return nil, err
			} else if p != nil {
				f.Who, _ = p.Identifier(identity.User)
			}
		}
		watch, err := a.o.Live.Watch(f)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer watch.Close()
			r, w := humago.Unwrap(c)
			a.follow(w, r, watch, f)
		}}, nil
	})
}

// follow writes what a watch sees until the reader is gone, may see it no longer, or
// the server stops.
func (a *API) follow(w http.ResponseWriter, r *http.Request, watch *live.Watch, f live.Filter) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a stream has no end; a writer of a test has no deadline
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // proxies that gather would make it late
	w.WriteHeader(http.StatusOK)
	masked := callerOf(r.Context()).masked()
	write := func(text string) bool {
		_ = c.SetWriteDeadline(time.Now().Add(writeFor)) // as above
		_, err := w.Write([]byte(text))
		return err == nil && c.Flush() == nil
	}
	if !write(": watching\n\n") {
		return
	}
	beat, looked := time.Now(), time.Time{}
	troubled := a.troubled(f)
	for {
		lines, lost, err := watch.Next(r.Context(), lookEvery)
		if err != nil {
			return
		}
		if time.Since(looked) >= lookEvery {
			looked = time.Now()
			lines = append(lines, troubled(r.Context())...)
		}
		if time.Since(beat) >= heartbeat {
			beat = time.Now()
			if !a.still(r) || !write(": alive\n\n") {
				return
			}
		}
		if len(lines) == 0 && lost == 0 {
			continue
		}
		m := streamed{Lost: lost, Lines: make([]streamLine, len(lines))}
		for i := range lines {
			m.Lines[i] = lineShown(&lines[i], masked)
		}
		b, err := json.Marshal(m)
		if err != nil {
			a.o.Log.ErrorContext(r.Context(), "a line of the stream cannot be written", "error", err)
			return
		}
		if !write(fmt.Sprintf("event: lines\ndata: %s\n\n", b)) {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(gather):
		}
	}
}

// troubled returns what says, each time, what was put aside since the last time although
// it was accepted. What was there at the first time is no news.
func (a *API) troubled(f live.Filter) func(context.Context) []live.Line {
	f.Name = strings.ToLower(f.Name)
	seen, first := map[string]bool{}, true
	return func(ctx context.Context) (lines []live.Line) {
		list, err := a.o.Node.Asides(ctx, seenAside)
		if err != nil {
			return nil // another time
		}
		now := map[string]bool{}
		for i := range list {
			q := &list[i]
			now[q.ID] = true
			if first || seen[q.ID] || q.Kind == "rejected" {
				continue
			}
			l := live.Line{At: q.At, Outcome: live.Quarantined, To: q.To, Name: q.Name, Source: q.Source, Reason: q.Reason, Field: q.Field, Raw: string(q.Body)}
			if f.Lets(&l) {
				lines = append(lines, l)
			}
		}
		seen, first = now, false
		return lines
	}
}

// still reports whether who began a stream may still see it: a session that was ended
// and a key that was revoked see nothing more.
func (a *API) still(r *http.Request) bool {
	c := callerOf(r.Context())
	if c.person != nil {
		p, ok := a.o.People.Find(c.token)
		return ok && p.Role == c.person.Role
	}
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, known := a.o.Keys.Find(strings.TrimSpace(text))
	return known
}

// lineShown is a line as somebody may see it.
func lineShown(l *live.Line, masked bool) streamLine {
	v := streamLine{At: l.At, Outcome: string(l.Outcome), Name: l.Name, Source: l.Source, Reason: l.Reason, Field: l.Field}
	if !l.To.Zero() {
		v.Customer = l.To.String()
	}
	if l.Event.Type == 0 && l.Event.ID == "" { // nobody could read it
		if masked {
			return v
		}
		v.Raw = l.Raw
		if len(v.Raw) > maxShown {
			v.Raw, v.Clipped = strings.ToValidUTF8(v.Raw[:maxShown], ""), true
		}
		return v
	}
	e := l.Event
	if masked {
		v.Name = hidden(v.Name)
		e.ID, e.Traits, e.Context, e.User, e.Anon = "", "", "", "", "" // shops make ids of anything
		e.Props = withoutPeople(e.Props)
		e.Name = hidden(e.Name)
	} else {
		v.Who = who(&e)
	}
	b := e.AppendJSON(nil)
	if len(b) > maxShown {
		v.Clipped = true
		return v
	}
	v.Event = b
	return v
}

// who names the person of an event as people know them.
func who(e *event.Event) string {
	for _, text := range []string{e.Traits.Text("email"), e.Props.Text("email"), e.User, e.Anon} {
		if text != "" {
			return text
		}
	}
	return ""
}
