package people

import (
	"context"
	"io"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// Options say how a file is to be read and where it goes. Kind, Source and Import
// are required.
type Options struct {
	Kind Kind
	// From is the system that wrote the file. Default: told by its header.
	From Vendor
	// Source names where the file comes from. It is part of every message id. Small
	// letters, digits, - and _.
	Source string
	// Import is the id of this import: the evidence of what it brings, and by it that
	// can be undone.
	Import string
	// Map maps columns to fields, or to "-" for nothing. What it leaves out is
	// guessed from the names.
	Map map[string]string
	// Zone is that of dates without an offset. Default: UTC.
	Zone *time.Location
	// Dates says whether days or months come first. Default: found out.
	Dates table.DateOrder
	// Delimiter stands between columns. Default: found out.
	Delimiter byte
	// Encoding is how letters are written. Default: found out.
	Encoding table.Encoding
	// AsOf is when the rows were true that have no date. Default: Now for customers
	// and for whatever forbids; a consent without a date is refused without it.
	AsOf event.Time
	// Now is the instant at which the import began, the same when it is resumed.
	Now event.Time
	// Channel and Purpose are those of rows that name none. Default: email, marketing.
	Channel, Purpose string
	// Reason is that of suppressions that name none. Default: unsubscribed.
	Reason string
	// Granted says that everybody in a file of consents without states agreed.
	Granted bool
	// List is a static list that everybody in the file is on. Default: none.
	List string
	// Live says that what the file tells happens now and may trigger messages: for
	// customers and events only. Default: it is history, and never does.
	Live bool

	// Append makes events durable. Nil: a dry run.
	Append func(ctx context.Context, events []event.Event) error
	// Suppress makes suppressions durable. Nil: a dry run.
	Suppress func(ctx context.Context, list []Suppression) error
	// Erased reports whether an event would be about somebody who was erased. Their
	// rows are refused, with the word erased and none of their text. Default: nobody was.
	Erased func(e *event.Event) bool
	// Held fills in Reason and At where an address is suppressed already for the
	// channel and purpose. It is asked once for all rows of a batch. Nil: nobody is.
	Held func(ctx context.Context, asked []Suppression) error
	// Shown hears how the file was understood, before the first row is taken. An error
	// ends the import.
	Shown func(Shown) error
	// Refuse hears of each row that is not imported. An error ends the import.
	Refuse func(table.Refusal) error
	// Progress hears from time to time how far the import is, with what is durable.
	// An error ends the import.
	Progress func(Progress) error
	// After is where an import of the same file was cut short.
	After Checkpoint
}

// Suppression forbids a channel and purpose to an address.
type Suppression struct {
	Who     identity.Identifier
	Channel string
	Purpose string // empty: every purpose
	Reason  string
	At      event.Time
}

// Progress is how far an import is.
type Progress struct {
	Totals     Totals     // of everything read
	Checkpoint Checkpoint // of what is durable
}

// Checkpoint is a place in a file before which every row is durable.
type Checkpoint struct {
	Rows  int64  `json:"rows"`  // rows before it
	Chain uint64 `json:"chain"` // hash of them, to tell another file
	Setup uint64 `json:"setup"` // hash of how the file was read
	Done  bool   `json:"done"`  // the file was read to its end
}

// Totals are what a file holds.
type Totals struct {
	Rows       int64            `json:"rows"`    // below the header, that are not empty
	Refused    int64            `json:"refused"` // that are not imported
	Silent     int64            `json:"silent"`  // that say nothing of what was asked
	People     int64            `json:"people"`  // different customers, by number, address or telephone
	More       bool             `json:"more_people,omitempty"`
	Events     int64            `json:"events"`
	Granted    int64            `json:"granted"`
	Withdrawn  int64            `json:"withdrawn"`
	Outweighed int64            `json:"outweighed"` // consents given of people who are suppressed
	Suppressed map[string]int64 `json:"suppressed"` // by reason
	First      event.Time       `json:"first"`
	Last       event.Time       `json:"last"`
}

// The limits of an import.
const (
	maxSource = 32        // the longest name of a source: it stands in message ids of 100 bytes
	maxImport = 48        // the longest id of an import
	maxPeople = 4_000_000 // customers told apart in the totals
	batchRows = 2000      // rows that become durable at once: each batch waits for the disk
)

func (o *Options) check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	if fieldsOf[o.Kind] == nil {
		return bad("a file holds customers, consents, suppressions or events, not " + strconv.Quote(string(o.Kind)))
	}
	if !name(o.Source, maxSource) {
		return bad("the source needs a name of at most " + strconv.Itoa(maxSource) + " small letters, digits, - and _")
	}
	if !name(o.Import, maxImport) {
		return bad("an import needs an id of small letters, digits, - and _")
	}
	if o.Live && (o.Kind == Consents || o.Kind == Suppressions) {
		return bad(string(o.Kind) + " of a file are history: they cannot be live, since a consent that was given long ago must not bring anybody a welcome today")
	}
	if o.From == Listmonk && o.Kind == Consents && o.Granted {
		return bad("listmonk's export does not say who has left which list: everybody in it cannot be taken to agree. Export one list by its confirmed members and import it without --from")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == 0 {
		o.Now = event.At(time.Now())
	}
	if o.Channel == "" {
		o.Channel = "email"
	}
	if o.Purpose == "" {
		o.Purpose = "marketing"
	}
	return nil
}

func name(s string, most int) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// Import reads a file and makes it known. It returns what it read even with an error;
// rows that were refused are no error but are counted. The error is Invalid if the
// file as a whole cannot be understood or is not the one of o.After, TooLarge if it
// unpacks to more than an export does, and that of a callback otherwise.
func Import(ctx context.Context, r io.Reader, o Options) (Totals, error) {
	if err := o.check(); err != nil {
		return Totals{}, err
	}
	t, err := table.OpenTable(r, o.Delimiter, o.Encoding)
	if err != nil {
		return Totals{}, err
	}
	o.Delimiter, o.Encoding = t.Delimiter(), t.Encoding
	if o.From == AnyVendor {
		o.From = vendorOf(t.Header)
	}
	m, err := columns(t, o.Kind, o.From, o.Map)
	if err != nil {
		return Totals{}, err
	}
	run := &run{o: &o, t: t, m: m, people: newSet(maxPeople), totals: Totals{Suppressed: map[string]int64{}}}
	if err := run.settle(); err != nil {
		return Totals{}, err
	}
	run.point.Setup = wire.Hash(string(o.Kind), string(o.From), o.Source, o.Import, o.Zone.String(), string(o.Dates), string([]byte{o.Delimiter}), string(o.Encoding), o.Channel, o.Purpose, o.Reason, o.List, m.String(), o.AsOf.String(), o.Now.String())
	if o.After != (Checkpoint{}) && o.After.Setup != run.point.Setup {
		return Totals{}, fault.New(fault.Invalid, "the import that was cut short read its file in another way: give the same options, or begin anew without --resume")
	}
	shown := run.shown()
	if o.Shown != nil {
		if err := o.Shown(shown); err != nil {
			return Totals{}, err
		}
	}
	err = run.run(ctx)
	return run.totals, err
}
