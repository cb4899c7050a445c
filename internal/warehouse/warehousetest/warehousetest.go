// Package warehousetest is the conformance suite of the warehouse: what every
// implementation of [warehouse.Warehouse] promises. Its SQL keeps to what
// ClickHouse 18.16 runs, so that an adapter for it can pass.
package warehousetest

import (
	"context"
	"fmt"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/warehouse"
)

// Open opens an empty warehouse. Each call of reopen closes the opening before it
// and opens the same tables again, as a new process would. The suite closes the
// last opening.
type Open func(t *testing.T) (w warehouse.Warehouse, reopen func() warehouse.Warehouse)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"a lane that was never loaded is before everything", before},
		{"a load moves the position of its lane and of no other", moves},
		{"a load that does not begin where the last ended is a Conflict and changes nothing", stale},
		{"of two loaders with one position exactly one loads", twoLoaders},
		{"an ended context loads nothing", endedLoad},
		{"everything is there after a reopening", durable},
		{"a reader sees whole loads", wholeLoads},

		{"an event comes back whole", wholeEvent},
		{"an order and its lines come back whole", wholeOrder},
		{"deliveries, decisions and memberships come back whole", wholeMessages},
		{"who is in a segment is the last word of the last instant", insiders},
		{"what no clock means is not known", oddInstants},
		{"a customer is the last word on each thing", lastWord},
		{"events that were heard late get their visits, in whatever order they came", visits},
		{"a profile that joined another is the other for all its past", joined},

		{"arguments stand for question marks", arguments},
		{"every function that reports use gives what its name says", functions},
		{"a range of ids comes in the order of their bytes, and what happened at one instant as it was heard", ordered},
		{"sums of money are exact", exact},
		{"columns have names and types", columns},

		{"nothing but reading is allowed", readOnly},
		{"SQL that cannot be understood is Invalid and says where", misunderstood},
		{"rows end at their limit and say so", rowLimit},
		{"bytes end at their limit and say so", byteLimit},
		{"time ends a query", timeLimit},
		{"memory ends a query, in its time, also where one value takes it", memoryLimit},
		{"a stranger's query sees what was loaded last", strangerSees},
		{"who calls may end a query", endedQuery},
		{"an open answer does not hold back a load", openAnswer},

		{"an export has every row in it", exports},
		{"an export of what may not be read writes nothing", exportRefused},

		{"who is forgotten is in no table, and everybody else is", forgets},
		{"a load goes on after somebody was forgotten", loadsOn},
		{"an answer that was open when somebody was forgotten ends whole", openForget},
		{"a cleared warehouse is before everything", clears},
		{"sizes are counted", stats},
		{"after Close every call is Unavailable", closed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

// ids of people and messages, far apart.
func person(n byte) identity.ID         { return identity.ID{n, 0xab, 15: n} }
func message(n byte) profile.DeliveryID { return profile.DeliveryID{0x80 | n, 0xcd, 15: n} }

// day is an instant of a certain day, early in the morning.
const (
	day  = event.Time(1_600_000_000_000) // 2020-09-13 12:26:40
	hour = event.Time(3_600_000)
)

func seen(who identity.ID, name string, at event.Time) warehouse.Event {
	return warehouse.Event{Profile: who, At: at, Now: at, ID: uint64(at), Type: "track", Name: name, Origin: "live", Properties: "{}"}
}

// start opens a warehouse and ends it with the test.
func start(t *testing.T, open Open) (warehouse.Warehouse, func() warehouse.Warehouse) {
	t.Helper()
	w, reopen := open(t)
	last := w
	t.Cleanup(func() {
		if err := last.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return w, func() warehouse.Warehouse { last = reopen(); return last }
}

// load loads rows into lane 0 behind what is there.
func load(t *testing.T, w warehouse.Warehouse, l warehouse.Load) {
	t.Helper()
	from, err := w.Position(t.Context(), l.Lane)
	if err != nil {
		t.Fatal(err)
	}
	l.From, l.To = from, warehouse.Key{Epoch: 1, Seq: from.Seq + 1}
	if err := w.LoadFeed(t.Context(), &l); err != nil {
		t.Fatalf("LoadFeed: %v", err)
	}
}

// table asks and returns each row as one text.
func table(t *testing.T, w warehouse.Warehouse, sql string, args ...any) []string {
	t.Helper()
	rows, err := w.Query(t.Context(), sql, args, warehouse.All)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []string
	for row := rows.Next(); row != nil; row = rows.Next() {
		out = append(out, text(row))
	}
	if rows.Err() != nil {
		t.Fatalf("%s: %v", sql, rows.Err())
	}
	return out
}

func text(row []any) string {
	out := ""
	for i, v := range row {
		if i > 0 {
			out += "|"
		}
		switch v := v.(type) {
		case interface{ UnixMilli() int64 }:
			out += fmt.Sprint("@", v.UnixMilli())
		case identity.ID:
			out += v.String()
		default:
			out += fmt.Sprint(v)
		}
	}
	return out
}

// expect compares the rows of a query with texts, in order.
func expect(t *testing.T, w warehouse.Warehouse, sql string, want ...string) {
	t.Helper()
	answers(t, w, sql, nil, want...)
}

// answers is expect for a query with arguments.
func answers(t *testing.T, w warehouse.Warehouse, sql string, args []any, want ...string) {
	t.Helper()
	got := table(t, w, sql, args...)
	if len(got) != len(want) {
		t.Fatalf("%s\ngave %d rows %q, want %q", sql, len(got), got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s\nrow %d is %q, want %q", sql, i, got[i], want[i])
		}
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	return ctx
}

const pound = money.One
