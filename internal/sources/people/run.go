package people

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// run is one import.
type run struct {
	o      *Options
	t      *table.Table
	m      table.Columns
	dates  table.Dates
	types  []string
	people *set
	totals Totals
	point  Checkpoint

	rec     table.Record
	ctx     context.Context
	row           // the present one
	refused bool  // the present row was refused
	read    []row // whose addresses the ledger was not asked of yet
	waiting int   // rows since the last batch
}

// row is what one row brought.
type row struct {
	line   int64
	events []event.Event
	list   []Suppression
	said   Totals
	asks   Suppression // whose Reason and At the ledger may know; zero: nothing is asked
	until  event.Time  // what was unsubscribed before does not count
	known  bool        // it was durable before the import was cut short
}

// fail is why a row is not imported.
type fail struct{ field, why string }

func (f *fail) Error() string { return f.why }

func wrong(field, why string) error { return &fail{field, why} }

var errOtherFile = fault.New(fault.Invalid, "the file is not the one whose import was cut short: its beginning has changed. Begin anew without --resume; what was imported is known and stays")

// run reads to the end.
func (r *run) run(ctx context.Context) error {
	r.ctx = ctx
	err := r.rows()
	for i := range r.read { // nothing, unless the import ends early
		r.count(&r.read[i])
	}
	return err
}

func (r *run) rows() error {
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		rec, err := r.t.Rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(r.ship(), table.Unreadable(err, r.t.Rows.Line()))
		}
		if err := r.take(&rec); err != nil {
			return err
		}
		r.point.Rows++
		r.point.Chain = wire.Hash(strconv.FormatUint(r.point.Chain, 36), string(rec.Raw))
		after := &r.o.After
		if r.point.Rows == after.Rows && r.point.Chain != after.Chain {
			return errOtherFile
		}
		if r.known = r.point.Rows <= after.Rows; !r.refused {
			r.read = append(r.read, r.row)
		}
		if r.waiting++; r.waiting >= batchRows {
			if err := r.ship(); err != nil {
				return err
			}
		}
	}
	if r.point.Rows < r.o.After.Rows {
		return errOtherFile
	}
	r.point.Done = true
	return r.ship()
}

// batch asks for all addresses of the rows that were read at once, and returns what is
// to be made durable.
func (r *run) batch() (events []event.Event, list []Suppression, err error) {
	var asked []Suppression
	for i := range r.read {
		if r.read[i].asks.Who.Value != "" {
			asked = append(asked, r.read[i].asks)
		}
	}
	if len(asked) > 0 {
		if err := r.o.Held(r.ctx, asked); err != nil {
			return nil, nil, err
		}
	}
	for i := range r.read {
		w := &r.read[i]
		before := len(w.events)
		if w.asks.Who.Value != "" {
			r.remind(w, asked[0])
			asked = asked[1:]
		}
		if refused, err := r.erased(w.line, w.events[before:]); err != nil {
			r.read = r.read[i+1:]
			return nil, nil, err
		} else if refused {
			continue
		}
		r.count(w)
		if !w.known {
			events, list = append(events, w.events...), append(list, w.list...)
		}
	}
	clear(r.read)
	r.read = r.read[:0]
	return events, list, nil
}

// ship makes a batch durable: what forbids before what allows.
func (r *run) ship() error {
	events, list, err := r.batch()
	if err != nil {
		return err
	}
	r.waiting = 0
	if r.point.Rows <= r.o.After.Rows && !r.point.Done {
		return nil
	}
	if len(list) > 0 && r.o.Suppress != nil {
		if err := r.o.Suppress(r.ctx, list); err != nil {
			return err
		}
	}
	if len(events) > 0 && r.o.Append != nil {
		if err := r.o.Append(r.ctx, events); err != nil {
			return err
		}
	}
	if r.o.Progress == nil {
		return nil
	}
	t := r.totals
	t.Suppressed = map[string]int64{}
	for k, n := range r.totals.Suppressed {
		t.Suppressed[k] = n
	}
	return r.o.Progress(Progress{t, r.point})
}

// take reads one row into r.row; a row that is refused leaves nothing.
func (r *run) take(rec *table.Record) error {
	r.totals.Rows++
	r.rec, r.row, r.refused = *rec, row{line: rec.Line}, false
	err := r.fields(rec)
	var bad *fail
	switch {
	case errors.As(err, &bad):
		r.refused = true
		r.totals.Refused++
		if r.o.Refuse == nil {
			return nil
		}
		return r.o.Refuse(table.Refusal{Line: rec.Line, Column: r.m.Name(bad.field), Reason: bad.why, Raw: rec.Raw[:min(len(rec.Raw), table.MaxKept)], Fields: rec.Fields})
	case err != nil:
		return err
	}
	r.refused, err = r.erased(rec.Line, r.events)
	return err
}

// erased refuses a row if one of its events is about somebody who was erased: they are
// suppressed already.
func (r *run) erased(line int64, events []event.Event) (bool, error) {
	if r.o.Erased == nil {
		return false, nil
	}
	for i := range events {
		if !r.o.Erased(&events[i]) {
			continue
		}
		r.totals.Refused++
		if r.o.Refuse == nil {
			return true, nil
		}
		return true, r.o.Refuse(table.Refusal{Line: line, Reason: table.ErasedReason})
	}
	return false, nil
}

// fields reads the fields of a row.
func (r *run) fields(rec *table.Record) error {
	switch {
	case rec.Why != "":
		return wrong("", rec.Why)
	case len(rec.Fields) != len(r.m.Header):
		return wrong("", "it has "+strconv.Itoa(len(rec.Fields))+" columns, and the first line names "+strconv.Itoa(len(r.m.Header)))
	case bytes.IndexByte(rec.Raw, 0) >= 0:
		return wrong("", "it holds a NUL byte: the file is damaged or no text")
	}
	switch r.o.Kind {
	case Customers:
		return r.customer()
	case Consents:
		return r.consent()
	case Suppressions:
		return r.suppression()
	}
	return r.event()
}

// count adds what a row brought to the totals.
func (r *run) count(w *row) {
	t := &r.totals
	t.Granted += w.said.Granted
	t.Withdrawn += w.said.Withdrawn
	t.Outweighed += w.said.Outweighed
	t.Events += int64(len(w.events))
	if len(w.events)+len(w.list) == 0 {
		t.Silent++
		return
	}
	note := func(at event.Time, who string) {
		if t.First == 0 || at < t.First {
			t.First = at
		}
		t.Last = max(t.Last, at)
		if r.people.add(wire.Hash(who)) {
			t.People++
			t.More = t.More || r.people.full
		}
	}
	for i := range w.list {
		s := &w.list[i]
		t.Suppressed[s.Reason]++
		if r.o.Kind == Suppressions {
			note(s.At, s.Who.String())
		}
	}
	for i := range w.events {
		if reminder, _ := w.events[i].Props.Get("reminder"); reminder.Kind == event.True {
			continue // it says nothing new of anybody
		}
		if ids := identity.Of(&w.events[i]); len(ids) > 0 {
			note(w.events[i].At, ids[0].String())
		}
	}
}

// cell returns the text of a field; empty if the file has no such column.
func (r *run) cell(field string) (string, error) {
	i := r.m.At(field)
	if i < 0 {
		return "", nil
	}
	return r.at(i, field)
}

func (r *run) at(i int, field string) (string, error) {
	b, why := table.Cell(r.rec.Fields[i], r.o.Encoding)
	if why != "" {
		return "", wrong(field, why)
	}
	return string(b), nil
}

// date returns the instant of a field; zero if it is empty.
func (r *run) date(field string) (event.Time, error) {
	text, err := r.cell(field)
	if err != nil || text == "" {
		return 0, err
	}
	at, why := r.instant(text)
	if why != "" {
		return 0, wrong(field, strconv.Quote(table.Clip(text, 40))+": "+why)
	}
	return at, nil
}

// earliest is the first instant that is believed: before it a date is a misread
// number.
var earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *run) instant(text string) (event.Time, string) {
	b := []byte(text)
	if i := bytes.IndexByte(b, '+'); i > 0 { // "2024-03-05 10:11:12.3 +0000 UTC", as Go writes an instant
		b = bytes.TrimSuffix(b, []byte(" UTC"))
	}
	t, why := r.dates.Parse(b)
	switch {
	case why != "":
		return 0, why
	case t.Before(earliest):
		return 0, "the date lies before 1980"
	case event.At(t) > r.o.Now.Add(24*time.Hour):
		return 0, "the date lies in the future"
	}
	return event.At(t), ""
}

// person is who a row is about.
type person struct {
	user, anon   string
	email, phone identity.Identifier // zero: none
}

func (p *person) String() string {
	return p.user + "\x00" + p.anon + "\x00" + p.email.Value + "\x00" + p.phone.Value
}

// person reads who a row is about. What stands in a field and cannot be right is a
// fault, not a gap: a suppression of a misspelt address must not vanish.
func (r *run) person() (p person, err error) {
	if p.user, err = r.cell(Customer); err != nil {
		return p, err
	}
	if p.user != "" {
		if _, ok := identity.Normal(identity.User, p.user); !ok {
			return p, wrong(Customer, strconv.Quote(table.Clip(p.user, 60))+" stands for nobody")
		}
	}
	if p.anon, err = r.cell(Anonymous); err != nil {
		return p, err
	}
	text, err := r.cell(Email)
	if err != nil {
		return p, err
	}
	if text != "" {
		id, ok := identity.Normal(identity.Email, text)
		if !ok {
			return p, wrong(Email, strconv.Quote(table.Clip(text, 60))+" is no e-mail address")
		}
		p.email = id
	}
	if text, err = r.cell(Phone); err != nil {
		return p, err
	}
	if text != "" {
		id, ok := identity.Normal(identity.Phone, text)
		if !ok && (r.o.Kind == Suppressions && p.email.Value == "" || r.o.Channel != "email") {
			return p, wrong(Phone, strconv.Quote(table.Clip(text, 40))+" is no telephone number with its country, such as +44 20 7946 0000")
		}
		if ok {
			p.phone = id
		}
	}
	if p.user == "" && p.anon == "" && p.email.Value == "" && p.phone.Value == "" {
		return p, wrong("", "it names nobody: neither an address nor a number of the customer")
	}
	return p, nil
}

// address returns the address of the person on a channel.
func (p *person) address(channel string) identity.Identifier {
	switch channel {
	case "email":
		return p.email
	case "sms", "whatsapp":
		return p.phone
	}
	return identity.Identifier{}
}

// event makes an event of the row.
func (r *run) make(kind event.Type, name string, p *person, at event.Time, parts ...string) event.Event {
	e := event.Event{
		ID: r.id(name, p, parts...), Type: kind, Name: name, User: p.user, Anon: p.anon, At: at, Raw: at,
		Origin: event.Import, Trust: event.Server, Source: event.ImportSource(r.o.Import),
	}
	if r.o.Live {
		e.Origin = event.Live
	}
	var traits event.Builder
	traits.SetText("email", p.email.Value).SetText("phone", p.phone.Value)
	e.Traits = traits.Object()
	return e
}

// id makes the id of what a row says. It depends on nothing else, so that a file that
// is imported again changes nothing.
func (r *run) id(what string, p *person, parts ...string) event.ID {
	h := sha256.New()
	for _, s := range append([]string{what, p.String()}, parts...) {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return event.ID("import:" + string(r.o.Kind) + ":" + r.o.Source + ":" + hex.EncodeToString(h.Sum(nil)[:16]))
}

// set is a set of hashes that forgets the older half when it is full.
type set struct {
	limit      int
	young, old map[uint64]struct{}
	full       bool
}

func newSet(limit int) *set { return &set{limit: limit, young: map[uint64]struct{}{}} }

// add adds and reports whether the hash is new.
func (s *set) add(h uint64) bool {
	_, young := s.young[h]
	_, old := s.old[h]
	if young || old {
		return false
	}
	if len(s.young) >= s.limit/2 {
		s.old, s.young, s.full = s.young, map[uint64]struct{}{}, true
	}
	s.young[h] = struct{}{}
	return true
}
