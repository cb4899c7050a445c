// Package dossier collects everything that is held about one person, for the
// person: GDPR, articles 15 and 20. Nothing is left out for being derived: what
// was concluded (segments, journeys, decisions) is theirs as much as what they
// said.
//
// A dossier is a handful of tables. They are written as one JSON document and as
// a CSV file each; a CSV cell never begins like a formula, because the first
// thing that opens it is a spreadsheet. README.txt beside them says what each
// table and column is.
package dossier

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Table is one part of a dossier.
type Table struct {
	Name    string // of the file and in the JSON
	About   string // a sentence
	Columns []string
	Rows    [][]any
}

// Source is where a dossier is read.
type Source struct {
	Store   store.Store
	Ledger  store.Ledger
	Program *core.Program // names segments; nil: they are shown by their numbers
	// Subjects are the keyed hashes of the person's addresses, under which the ledger
	// may have suppressions.
	Subjects [][16]byte
}

// maxRows bounds deliveries and quarantine that are read for one person: a
// hundred years of daily messages.
const maxRows = 100_000

// Of returns the dossier of a customer.
func Of(ctx context.Context, src Source, p *profile.Profile) ([]Table, error) {
	strands := append([]identity.ID{p.ID}, p.Strands...)
	events, err := history(ctx, src.Store, strands)
	if err != nil {
		return nil, err
	}
	tables := []Table{
		person(p), identifiers(p), traits(p), consents(p), addresses(p), orders(p), bought(p), segments(p, src.Program), journeys(p),
		runs(p), contacts(p), series(p), scores(p), tastes(p), lists(p), objects(p), tallies(p), places(p), visits(p), glances(p), handOvers(p), events,
	}
	said, decided, err := deliveries(ctx, src.Store, p, strands)
	if err != nil {
		return nil, err
	}
	aside, err := aside(ctx, src.Store, p, strands)
	if err != nil {
		return nil, err
	}
	stopped, err := suppressions(ctx, src, strands)
	if err != nil {
		return nil, err
	}
	return append(tables, said, decided, stopped, aside, predictions(p)), nil
}

// scores are named by a hash of their rules: a changed rule is another score. Points
// are as they stood when the last of them came.
func scores(p *profile.Profile) Table {
	t := Table{Name: "scores", About: "Points that you have by the rules of a score.", Columns: []string{"score", "half_life_s", "points", "given_by_rule", "yet_to_count"}}
	for _, s := range p.Scores {
		level, _ := s.At(p.Last)
		t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", s.Key), s.Half, level.Float(), asJSON(s.Marks), asJSON(s.Ahead)})
	}
	return t
}

func tastes(p *profile.Profile) Table {
	t := Table{Name: "tastes", About: "What we think you like, by what you looked at and bought.", Columns: []string{"affinity", "half_life_s", "for", "weight", "yet_to_count"}}
	for _, s := range p.Tastes {
		for _, l := range s.Of {
			t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", s.Key), s.Half, l.Name, l.Sum.At(p.Last, s.Half).Float(), asJSON(s.Ahead)})
		}
	}
	return t
}

func lists(p *profile.Profile) Table {
	t := Table{Name: "lists", About: "The lists that somebody of the shop put you on, or took you from.", Columns: []string{"list", "on_it", "at"}}
	for i := range p.Lists {
		l := &p.Lists[i]
		t.Rows = append(t.Rows, []any{l.List, l.In, l.At})
	}
	return t
}

func objects(p *profile.Profile) Table {
	t := Table{Name: "objects", About: "What you have with us beside orders, such as subscriptions and bookings.", Columns: []string{"type", "id", "properties", "gone", "at"}}
	for i := range p.Objects {
		o := &p.Objects[i]
		t.Rows = append(t.Rows, []any{o.Type, o.ID, o.Props, o.Gone, o.At})
	}
	return t
}

func tallies(p *profile.Profile) Table {
	t := Table{Name: "tallies", About: "Values that we count in your events to answer questions about them.", Columns: []string{"question", "value", "count", "last"}}
	for _, s := range p.Tallies {
		for _, m := range s.Marks {
			t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", s.Key), m.Value, m.Count, m.At})
		}
	}
	return t
}

func places(p *profile.Profile) Table {
	t := Table{Name: "places", About: "Where you were last, as far as we know.", Columns: []string{"country", "region", "city", "at", "latitude", "longitude", "precise_at"}}
	if w := &p.Where; *w != (profile.Whereabouts{}) {
		at := w.Point.Point()
		t.Rows = append(t.Rows, []any{w.Country, w.Region, w.City, w.TownAt, at.Lat, at.Lon, w.PointAt})
	}
	return t
}

func visits(p *profile.Profile) Table {
	t := Table{Name: "visits", About: "When you came to a store or a place that we watch, by the hash of its name.", Columns: []string{"place", "entered", "last", "there"}}
	for i := range p.Visits {
		v := &p.Visits[i]
		t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", v.Key), v.Entered, v.Last, v.In})
	}
	return t
}

func glances(p *profile.Profile) Table {
	t := Table{Name: "glances", About: "On which kind of device you looked at a product last, by the hash of its number.", Columns: []string{"product", "device", "at"}}
	for _, g := range p.Looked() {
		t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", g.Item), g.Device, g.At})
	}
	return t
}

func handOvers(p *profile.Profile) Table {
	t := Table{Name: "hand_overs", About: "How often you looked on one kind of device and bought on another.", Columns: []string{"from", "to", "orders", "last"}}
	for i := range p.HandOvers {
		h := &p.HandOvers[i]
		t.Rows = append(t.Rows, []any{h.From, h.To, h.Count, h.Last})
	}
	return t
}

func asJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		return nil // unreachable: numbers and texts only
	}
	return text
}

func predictions(p *profile.Profile) Table {
	t := Table{Name: "predictions", About: "What we think of you, and why.", Columns: []string{"name", "value", "at", "until", "model", "evidence"}}
	for i := range p.Predictions {
		s := &p.Predictions[i]
		t.Rows = append(t.Rows, []any{s.Name, s.Value, s.At, s.Until, s.Model, s.Evidence})
	}
	return t
}

func person(p *profile.Profile) Table {
	return Table{
		Name: "person", About: "Who you are to us: one row.",
		Columns: []string{"id", "joined_from", "known_since", "first_event", "last_event", "events", "time_zone", "language", "device", "visits", "last_visit_began", "last_visit_ended", "next_look", "events_this_month", "global_holdout_toss"},
		Rows: [][]any{{
			p.ID, p.Strands, p.Born, p.First, p.Last, p.Count, p.Zone, p.Locale, p.Device, p.Session.Count, p.Session.Start, p.Session.Last, p.Alarm, p.InMonth,
			p.Person().Chance(decision.GlobalHoldout),
		}},
	}
}

var holdings = map[profile.Holding]string{profile.Asked: "asked for", profile.Owned: "yours", profile.Refused: "somebody else's"}

func identifiers(p *profile.Profile) Table {
	t := Table{Name: "identifiers", About: "By what we recognise you.", Columns: []string{"kind", "value", "state", "at"}}
	if p.Birth.Value != "" {
		t.Rows = append(t.Rows, []any{string(p.Birth.Kind), p.Birth.Value, "first known by", p.Born})
	}
	for i := range p.Held {
		h := &p.Held[i]
		t.Rows = append(t.Rows, []any{string(h.Identifier.Kind), h.Identifier.Value, holdings[h.State], h.At})
	}
	return t
}

func traits(p *profile.Profile) Table {
	t := Table{Name: "traits", About: "What we know of you.", Columns: []string{"name", "value", "at"}}
	for i := range p.Traits {
		t.Rows = append(t.Rows, []any{p.Traits[i].Name, p.Traits[i].Value, p.Traits[i].At})
	}
	return t
}

func consents(p *profile.Profile) Table {
	t := Table{
		Name: "consents", About: "Your last word on each purpose and channel, with the entry of the history that proves it.",
		Columns: []string{"channel", "purpose", "granted", "at", "proof", "evidence", "wording", "expires"},
	}
	for i := range p.Consents {
		c := &p.Consents[i]
		t.Rows = append(t.Rows, []any{c.Channel, c.Purpose, c.Granted, c.At, string(c.Proof), c.Evidence, c.Wording, c.Expires})
	}
	return t
}

var healths = map[profile.AddressState]string{profile.Healthy: "healthy", profile.Bounced: "bounced", profile.Complained: "complained"}

func addresses(p *profile.Profile) Table {
	t := Table{Name: "addresses", About: "What providers said of your addresses.", Columns: []string{"channel", "address", "state", "at", "words", "soft_bounces"}}
	for i := range p.Health {
		h := &p.Health[i]
		t.Rows = append(t.Rows, []any{h.Channel, h.Address, healths[h.State], h.At, h.Why, h.Soft})
	}
	return t
}

var orderKinds = map[profile.OrderKind]string{profile.Completed: "completed", profile.Refunded: "refunded", profile.Cancelled: "cancelled"}

func orders(p *profile.Profile) Table {
	t := Table{Name: "orders", About: "Your orders, refunds and cancellations; their lines are in the events.", Columns: []string{"id", "kind", "at", "net", "currency", "units", "where"}}
	for i := range p.Orders {
		o := &p.Orders[i]
		t.Rows = append(t.Rows, []any{o.ID, orderKinds[o.Kind], o.At, o.Net.String(), string(o.Currency), float64(o.Units) / 1000, o.Where})
	}
	return t
}

func bought(p *profile.Profile) Table {
	t := Table{Name: "products", About: "What you bought.", Columns: []string{"sku", "product", "name", "category", "first", "last", "orders", "where"}}
	for i := range p.Bought {
		b := &p.Bought[i]
		t.Rows = append(t.Rows, []any{b.SKU, b.Product, b.Name, b.Category, b.First, b.Last, b.Count, b.Where})
	}
	return t
}

func segments(p *profile.Profile, prog *core.Program) Table {
	t := Table{Name: "segments", About: "The groups that we count you in, and those that we watch you for.", Columns: []string{"segment", "in", "since", "holds_until"}}
	names := map[uint64]string{}
	if prog != nil {
		for _, name := range prog.Segments.Names() {
			names[condition.SegmentKey(name)] = name
		}
	}
	for _, m := range p.Memberships() {
		name := names[m.Key]
		if name == "" {
			name = fmt.Sprintf("%016x", m.Key)
		}
		t.Rows = append(t.Rows, []any{name, m.In, m.Since, m.Until})
	}
	return t
}

func journeys(p *profile.Profile) Table {
	t := Table{
		Name: "journeys", About: "The journeys that you are in, and what let you in.",
		Columns: []string{"journey", "version", "key", "step", "entered", "since", "wakes", "checks", "steps", "sent", "not_sent", "in_holdout", "trigger", "trigger_at", "trigger_event", "trigger_properties", "product", "waits_for"},
	}
	for i := range p.Journeys {
		j := &p.Journeys[i]
		t.Rows = append(t.Rows, []any{
			j.Journey, fmt.Sprintf("%016x", j.Version), j.Key, j.Step, j.Entered, j.Since, j.Wake, j.Check, j.Arrivals, j.Sent, j.Unsent, j.Held,
			string(j.Trigger), j.TriggerAt, j.Name, j.Props, j.Product, j.Waiting,
		})
	}
	return t
}

func runs(p *profile.Profile) Table {
	t := Table{Name: "earlier_journeys", About: "The journeys that you were in.", Columns: []string{"journey", "entered", "left", "times"}}
	for i := range p.Past {
		r := &p.Past[i]
		t.Rows = append(t.Rows, []any{r.Journey, r.Entered, r.Left, r.Times})
	}
	return t
}

func contacts(p *profile.Profile) Table {
	t := Table{Name: "contacts", About: "Messages that count towards how often we may write.", Columns: []string{"at", "channel", "journey", "class", "delivery"}}
	for i := range p.Contacts {
		c := &p.Contacts[i]
		t.Rows = append(t.Rows, []any{c.At, c.Channel, c.Journey, c.Class.String(), c.ID})
	}
	return t
}

func series(p *profile.Profile) Table {
	t := Table{Name: "counters", About: "What we count of your events to answer questions about them.", Columns: []string{"question", "count", "sum", "first", "last", "kept"}}
	for _, s := range p.Series {
		t.Rows = append(t.Rows, []any{fmt.Sprintf("%016x", s.Key), s.Count, s.Sum.String(), s.First, s.Last, len(s.Obs)})
	}
	return t
}

func history(ctx context.Context, st store.Store, strands []identity.ID) (Table, error) {
	t := Table{
		Name: "events", About: "Everything we heard of you, in the order in which we heard it, and what became of our messages.",
		Columns: []string{"id", "type", "event", "user_id", "anonymous_id", "at", "client_time", "heard", "origin", "source", "properties", "traits", "context"},
	}
	blocks, err := st.History(ctx, strands...)
	if err != nil {
		return t, err
	}
	var all []engine.Heard
	for _, b := range blocks {
		events, err := engine.UnpackHistory(b.Body)
		if err != nil {
			return t, fmt.Errorf("the history of %s: %w", b.Strand, err)
		}
		all = append(all, events...)
	}
	slices.SortStableFunc(all, func(a, b engine.Heard) int { return cmp.Compare(a.Now, b.Now) })
	for i := range all {
		e := &all[i].Event
		t.Rows = append(t.Rows, []any{string(e.ID), e.Type.String(), e.Name, e.User, e.Anon, e.At, e.Raw, all[i].Now, e.Origin.String(), e.Source, e.Props, e.Traits, e.Context})
	}
	return t, nil
}

func deliveries(ctx context.Context, st store.Store, p *profile.Profile, strands []identity.ID) (said, decided Table, err error) {
	said = Table{
		Name: "messages", About: "Messages to you: sent, planned, and those that were not sent.",
		Columns: []string{"id", "state", "because", "class", "channel", "purpose", "journey", "step", "key", "template", "reason", "product", "category", "planned", "not_before", "expires", "deadline", "changed", "outcome", "properties"},
	}
	decided = Table{
		Name: "decisions", About: "Why each message was sent, or was not: every rule that was asked, with what it saw.",
		Columns: []string{"message", "at", "outcome", "reason", "sentence", "record"},
	}
	for _, id := range strands {
		rows, err := st.DeliveriesOf(ctx, id, maxRows)
		if err != nil {
			return said, decided, err
		}
		for i := range rows {
			d := &rows[i]
			said.Rows = append(said.Rows, []any{
				d.ID, d.State.String(), d.Because, d.Class.String(), d.Channel, d.Purpose, d.Journey, d.Step, d.Key, d.Template, d.Reason, d.Product, d.Category,
				d.Planned, d.NotBefore, d.Expires, d.Deadline, d.Changed, d.Outcome, d.Props,
			})
			for _, packed := range [][]byte{d.Plan, d.Claim} {
				if len(packed) == 0 {
					continue
				}
				r, err := decision.Decode(string(packed))
				if err != nil {
					return said, decided, fmt.Errorf("the decision on %s: %w", d.ID, err)
				}
				record, err := json.Marshal(&r)
				if err != nil {
					return said, decided, err
				}
				decided.Rows = append(decided.Rows, []any{d.ID, r.Now, r.Outcome, string(r.Reason), r.Sentence(p, r.Now), json.RawMessage(record)})
			}
		}
	}
	return said, decided, nil
}

func aside(ctx context.Context, st store.Store, p *profile.Profile, strands []identity.ID) (Table, error) {
	t := Table{Name: "put_aside", About: "Events about you that we could not use.", Columns: []string{"at", "kind", "reason", "field", "detail", "event"}}
	list, err := st.Quarantined(ctx, maxRows)
	if err != nil {
		return t, err
	}
	for i := range list {
		q := &list[i]
		var e *event.Event
		if len(q.Entry) > 0 {
			if a, err := identity.DecodeAddressed(string(q.Entry)); err == nil {
				e = &a.Event
			}
		}
		about := slices.Contains(strands, q.To) || e != nil && slices.ContainsFunc(identity.Of(e), func(id identity.Identifier) bool { return owns(p, id) })
		if !about && !names(p, q.Detail) {
			continue
		}
		var body json.RawMessage
		if e != nil {
			body = e.AppendJSON(nil)
		}
		t.Rows = append(t.Rows, []any{q.At, q.Kind, q.Reason, q.Field, q.Detail, body})
	}
	return t, nil
}

// identifierKeys are the keys under which senders write whom an event is about.
var identifierKeys = regexp.MustCompile(`"(userId|user_id|anonymousId|anonymous_id|email|phone)"\s*:\s*"((?:[^"\\]|\\.)*)"`)

// names reports whether what was put aside at the edge, as it was sent, names the
// person by an identifier of theirs: it never became an event that has a sender,
// and may be no JSON.
func names(p *profile.Profile, body string) bool {
	for _, m := range identifierKeys.FindAllStringSubmatch(body, -1) {
		for i := range p.Held {
			h := &p.Held[i]
			if h.State == profile.Owned && strings.EqualFold(h.Identifier.Value, strings.TrimSpace(m[2])) {
				return true
			}
		}
	}
	return false
}

func owns(p *profile.Profile, id identity.Identifier) bool {
	state, _ := p.Holds(id)
	return state == profile.Owned
}

func suppressions(ctx context.Context, src Source, strands []identity.ID) (Table, error) {
	t := Table{Name: "suppressions", About: "What we may not send you.", Columns: []string{"subject", "channel", "purpose", "reason", "at", "by"}}
	if src.Ledger == nil {
		return t, fault.New(fault.Internal, "a dossier needs the ledger")
	}
	subjects := slices.Clone(src.Subjects)
	for _, id := range strands {
		subjects = append(subjects, id)
	}
	seen := map[store.Suppression]bool{}
	for _, subject := range subjects {
		all, err := src.Ledger.SuppressionsOf(ctx, subject)
		if err != nil {
			return t, err
		}
		for _, s := range all {
			if !seen[s] {
				seen[s] = true
				t.Rows = append(t.Rows, []any{identity.ID(s.Subject), s.Channel, s.Purpose, s.Reason, s.At, s.By})
			}
		}
	}
	return t, nil
}
