// Package warehouse is the port to analytics: what happened, as tables that can be
// asked anything.
//
// A warehouse is made of the feed and of nothing else, so it can be thrown away
// and built anew. Each [Load] brings rows and the key up to which the feed was read
// in one transaction: a loader that is killed between two loads, or reads the feed
// twice, leaves nothing twice and nothing out.
//
// It holds no names and no addresses: the feed has none. People are profile ids,
// and a profile that joined another is the other in every view, for all its past.
//
// Tables only grow. The rows of a person who is forgotten are the exception: the
// files are written anew without them.
//
// docs/warehouse.md describes the tables. SQL of the product itself, and of the
// conformance suite warehousetest, keeps to what ClickHouse 18.16 runs (no window
// functions, no sub-queries by WITH) and to the functions in [Functions], so that
// one text asks every adapter.
package warehouse

import (
	"context"
	"errors"
	"io"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// Key is how far the feed of a lane has been read: the epoch of its log and the
// sequence at which the last block ended. The zero Key is before everything.
type Key struct {
	Epoch uint64
	Seq   uint64
}

// Warehouse holds the tables of one workspace. One loader writes; any number of
// readers ask meanwhile and see whole loads.
type Warehouse interface {
	// Position returns how far the feed of the lane has been loaded.
	Position(ctx context.Context, lane int) (Key, error)

	// LoadFeed adds the rows of l and moves the lane's position from l.From to l.To,
	// all or nothing, and durable when it returns. It is a fault of kind Conflict,
	// and changes nothing, if the position is no longer l.From. L is the caller's
	// again afterwards.
	LoadFeed(ctx context.Context, l *Load) error

	// Visit gives events their visits, wherever a customer has an event of their own
	// without one: it was heard after a later one, as imports are. All events of such a
	// customer, joined profiles with it, are cut into visits anew, at each pause of
	// profile.SessionGap and in the order in which they happened. So a warehouse that
	// was loaded in another order has the same visits. It holds back loads, and a second
	// call in a row finds nothing to do.
	Visit(ctx context.Context) error

	// Query runs one statement that reads. Anything else is a fault of kind Invalid
	// or Denied: writing, settings, files, other databases, the network, several
	// statements at once. So is SQL that cannot be understood, with the place. Args
	// stand for the ? of the statement. What the rows may be, says limits. The rows
	// must be closed.
	Query(ctx context.Context, sql string, args []any, limits Limits) (Rows, error)

	// Export writes the answer to a query, of which Query would take the statement,
	// as a file to w: all rows, ids as text. Zero for the time is DefaultTime. What
	// goes wrong before the first byte leaves w untouched. Its memory is
	// DefaultMemory.
	Export(ctx context.Context, sql string, format Format, within time.Duration, w io.Writer) error

	// Forget takes every row of the profiles out, durably: when it returns, no byte
	// of them is in any file of the warehouse. It writes the files anew, holds back
	// loads for as long, and lets queries under way end first. Profiles that it does
	// not know change nothing.
	Forget(ctx context.Context, profiles ...identity.ID) error

	// Clear throws everything away, positions included: the feed is to be read from
	// its beginning. It holds back loads as Forget does.
	Clear(ctx context.Context) error

	// Everything yields every row of every table as text, with the table's name. It
	// serves the proof that something is in none of them.
	Everything(ctx context.Context, yield func(table string, row []byte) error) error

	// Stats returns sizes for people: rows by table, and the bytes on disk under
	// "bytes".
	Stats(ctx context.Context) (map[string]int64, error)

	// Close waits for the calls under way. After it every call is a fault of kind
	// Unavailable; a second Close does nothing.
	Close() error
}

// Rows are the answer to a query, in its order.
type Rows interface {
	// Columns returns the names and types.
	Columns() []Column

	// Next returns the next row; nil after the last, or after an error. A value is
	// nil, bool, int64, float64, string, a time.Time in UTC, an identity.ID (columns
	// of type ID: profiles and deliveries), or a []any of these. The slice is
	// written anew by the next call.
	Next() []any

	// Err returns what ended the rows too early. A query that took longer than its
	// limit, or more memory, is a fault of kind TooLarge.
	Err() error

	// Truncated reports whether there was more than the limits of rows and bytes
	// let through.
	Truncated() bool

	// Close ends the query; a second Close does nothing.
	Close() error
}

// Column is one column of an answer.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Type is what the values of a column are.
type Type string

// The types. A text stands for everything else.
const (
	Bool  Type = "bool"
	Int   Type = "int"
	Float Type = "float"
	Text  Type = "text"
	Time  Type = "time"
	ID    Type = "id"
	List  Type = "list"
)

// Format is how an export is written.
type Format string

// The formats.
const (
	CSV     Format = "csv" // with a header, as RFC 4180 says
	Parquet Format = "parquet"
)

// Limits bound a query. The zero Limits are those for strangers.
type Limits struct {
	Rows  int64         // how many rows come at most. Default: DefaultRows; NoLimit: all
	Bytes int64         // how much the values take at most, about. Default: DefaultBytes; NoLimit: all
	Time  time.Duration // until the last row was read. Default: DefaultTime; NoLimit: as long as ctx

	// Memory is how many bytes the query may take while it runs: beyond them it is
	// ended, and nothing else is. Default: DefaultMemory. NoLimit is for the product's
	// own SQL, which shares what the warehouse has.
	Memory int64
}

// NoLimit as a limit is none, for callers of our own that know what they ask.
const NoLimit = -1

// The limits of a query whose sender names none: what a person can look at, and a
// time after which they have looked elsewhere.
const (
	DefaultRows  = 10_000
	DefaultBytes = 8 << 20
	DefaultTime  = 30 * time.Second

	// DefaultMemory lets a query group a few million rows without a spill.
	DefaultMemory = 512 << 20
)

// All is for the product's own queries.
var All = Limits{Rows: NoLimit, Bytes: NoLimit, Time: NoLimit, Memory: NoLimit}

// Filled returns the limits with the defaults in the place of zeros.
func (l Limits) Filled() Limits {
	if l.Rows == 0 {
		l.Rows = DefaultRows
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	return l
}

// Functions are what SQL of the product may call beside the aggregates that every
// database has (count, sum, min, max, avg). They have ClickHouse's names and
// meaning; an adapter whose database lacks one defines it. `ms` is ours: an
// instant as Unix milliseconds. Ids are compared and ordered as their bytes are.
var Functions = []string{
	"toStartOfHour", "toStartOfDay", "toStartOfMonth", "toUnixTimestamp", "ms", "intDiv", "if", "coalesce", "lower", "length", "concat",
	"argMin", "argMax", "uniqExact", "countIf", "sumIf", "groupArray", "visitParamExtractString",
}

// Each calls yield with every row of a query, which may take as long as it does; the
// first error that yield returns ends it, and is returned.
func Each(ctx context.Context, w Warehouse, sql string, args []any, yield func(row []any) error) error {
	rows, err := w.Query(ctx, sql, args, All)
	if err != nil {
		return err
	}
	for row := rows.Next(); row != nil; row = rows.Next() {
		if err := yield(row); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// Load is what one step of the loader brings of one lane.
type Load struct {
	Lane     int
	From, To Key
	Now      event.Time // of the newest row

	Events      []Event
	Orders      []Order
	Lines       []Line
	Deliveries  []Delivery
	Decisions   []Decision
	Memberships []Membership
	Profiles    []Profile
	Joins       []Join
}

// Rows counts the rows of the load.
func (l *Load) Rows() int {
	return len(l.Events) + len(l.Orders) + len(l.Lines) + len(l.Deliveries) + len(l.Decisions) + len(l.Memberships) + len(l.Profiles) + len(l.Joins)
}

// Reset empties the load. It keeps the memory of the rows and nothing that they
// pointed to.
func (l *Load) Reset() {
	clear(l.Events)
	clear(l.Orders)
	clear(l.Lines)
	clear(l.Deliveries)
	clear(l.Decisions)
	clear(l.Memberships)
	clear(l.Profiles)
	clear(l.Joins)
	*l = Load{
		Events: l.Events[:0], Orders: l.Orders[:0], Lines: l.Lines[:0], Deliveries: l.Deliveries[:0], Decisions: l.Decisions[:0],
		Memberships: l.Memberships[:0], Profiles: l.Profiles[:0], Joins: l.Joins[:0],
	}
}
