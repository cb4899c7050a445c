package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// Position implements [warehouse.Warehouse].
func (d *DB) Position(_ context.Context, lane int) (warehouse.Key, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return warehouse.Key{}, errClosed
	}
	return d.at[lane], nil
}

// readPositions reads how far each lane was loaded. Nobody loads meanwhile.
func (d *DB) readPositions(ctx context.Context) error {
	c, err := connect(ctx, d.now.connector)
	if err != nil {
		return err
	}
	defer c.Close()
	positions, number := map[int]warehouse.Key{}, int64(0)
	err = c.each(ctx, "SELECT lane, argMax(epoch, n), argMax(upto, n), max(n) FROM loads GROUP BY lane", func(row []driver.Value) error {
		positions[int(row[0].(int32))] = warehouse.Key{Epoch: row[1].(uint64), Seq: row[2].(uint64)}
		number = max(number, row[3].(int64))
		return nil
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.number = positions, number
	return nil
}

// LoadFeed implements [warehouse.Warehouse].
func (d *DB) LoadFeed(ctx context.Context, l *warehouse.Load) error {
	d.load.Lock()
	defer d.load.Unlock()
	at, err := d.Position(ctx, l.Lane)
	if err != nil {
		return err
	}
	if at != l.From {
		return fault.New(fault.Conflict, fmt.Sprintf("the warehouse has read lane %d up to %d of epoch %d, not up to %d of %d", l.Lane, at.Seq, at.Epoch, l.From.Seq, l.From.Epoch))
	}
	in, err := d.use()
	if err != nil {
		return err
	}
	defer in.release()
	c, err := connect(ctx, in.connector)
	if err != nil {
		return err
	}
	defer c.Close()
	number := d.number + 1
	if err := c.exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	err = c.append(l, number)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		// What was appended goes with the connection, if not with this.
		return errors.Join(err, c.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	ctx = context.WithoutCancel(ctx)
	if err := in.hold(ctx); err != nil {
		return err
	}
	defer in.loud()
	if err := c.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	d.mu.Lock()
	d.number = number
	d.at[l.Lane] = l.To
	d.mu.Unlock()
	d.tidyJournal(ctx, in, c)
	return nil
}

const (
	// journalFull is at how many bytes the journal is brought into the file: what a
	// start, and each process of a query, reads again.
	journalFull = 32 << 20
	// journalOver is at how many a process of a query waits until the others have
	// gone, so that queries without a pause do not keep it growing.
	journalOver = 8 * journalFull
)

// tidyJournal brings a full journal into the file, unless somebody reads the file
// elsewhere. The caller holds the instance's commits. That it could not be is no
// failure of the load: the next one tries again.
func (d *DB) tidyJournal(ctx context.Context, in *instance, c conn) {
	if in.journal() < journalFull || in.lonely() != nil {
		return
	}
	if err := c.exec(ctx, "CHECKPOINT"); err != nil {
		return // somebody writes beside us
	}
}

// tidyHeld is tidyJournal for who does not hold the instance's commits.
func (d *DB) tidyHeld(ctx context.Context, in *instance, c conn) {
	if in.hold(ctx) == nil {
		defer in.loud()
		d.tidyJournal(ctx, in, c)
	}
}

// journal is the size of the instance's journal.
func (in *instance) journal() int64 {
	info, err := os.Stat(in.path + walEnd)
	if err != nil {
		return 0
	}
	return info.Size()
}

// perLoad is how many rows of one load have an order of their own.
const perLoad = 1 << 24

// append appends every row of a load.
func (c conn) append(l *warehouse.Load, number int64) error {
	order := number * perLoad
	next := func() int64 { order++; return order }
	return errors.Join(
		fill(c, "raw_events", l.Events, func(e *warehouse.Event) []driver.Value {
			return []driver.Value{
				id(e.Profile), next(), at(e.At), at(e.Now), int64(e.ID), e.Type, e.Name, e.Source, e.Origin, e.Known, at(e.Session), e.Device, e.Channel, e.Store,
				e.SKU, e.Product, e.Category, e.Search, amount(int64(e.Value), e.HasValue), e.Currency, e.Properties,
			}
		}),
		fill(c, "raw_orders", l.Orders, func(o *warehouse.Order) []driver.Value {
			return []driver.Value{id(o.Profile), next(), o.OrderID, o.Kind, at(o.At), int64(o.Net), o.Currency, o.Units, o.Channel, o.Device, o.Store, o.Origin, o.Known}
		}),
		fill(c, "raw_order_lines", l.Lines, func(n *warehouse.Line) []driver.Value {
			return []driver.Value{
				id(n.Profile), next(), n.OrderID, n.Kind, at(n.At), int32(n.Line), n.SKU, n.Product, n.Name, n.Category, n.Quantity, int64(n.Price), int64(n.Net), n.Currency, n.Known,
			}
		}),
		fill(c, "raw_deliveries", l.Deliveries, func(v *warehouse.Delivery) []driver.Value {
			return []driver.Value{
				id(v.Profile), delivery(v.Delivery), at(v.At), v.Channel, v.Origin, v.Version, v.Step, v.Class, v.State, v.Reason, v.Actor, v.Product, v.Category,
			}
		}),
		fill(c, "raw_decisions", l.Decisions, func(v *warehouse.Decision) []driver.Value {
			return []driver.Value{
				id(v.Profile), delivery(v.Delivery), at(v.At), v.Stage, v.Outcome, int32(v.Rule), v.Reason, v.Chance, v.Channel, v.Origin, v.Version, v.Step,
			}
		}),
		fill(c, "raw_memberships", l.Memberships, func(m *warehouse.Membership) []driver.Value {
			return []driver.Value{id(m.Profile), next(), m.Segment, m.In, at(m.At)}
		}),
		fill(c, "raw_profiles", l.Profiles, func(p *warehouse.Profile) []driver.Value {
			if p.Seen {
				return []driver.Value{id(p.Profile), next(), at(p.First), at(p.Last), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}
			}
			return []driver.Value{
				id(p.Profile), next(), nil, nil, at(p.Born), p.Known, p.Country, p.City, p.Locale, p.Zone, p.Device, p.Consents, p.Reachable, p.Lifecycle, p.Gone,
			}
		}),
		fill(c, "raw_joins", l.Joins, func(j *warehouse.Join) []driver.Value {
			return []driver.Value{id(j.Strand), id(j.Profile), next()}
		}),
		fill(c, "loads", []*warehouse.Load{l}, func(l **warehouse.Load) []driver.Value {
			return []driver.Value{number, int32((*l).Lane), (*l).To.Epoch, (*l).To.Seq, at((*l).Now), int64((*l).Rows())}
		}),
	)
}

// fill appends rows to a table by the way that goes past SQL.
func fill[T any](c conn, table string, rows []T, values func(*T) []driver.Value) error {
	if len(rows) == 0 {
		return nil
	}
	a, err := duckdb.NewAppenderFromConn(c.Conn, "", table)
	if err != nil {
		return translate(err, "appending to "+table)
	}
	for i := range rows {
		if err = a.AppendRow(values(&rows[i])...); err != nil {
			break
		}
	}
	return translate(errors.Join(err, a.Close()), "appending to "+table)
}

func id(p identity.ID) driver.Value              { return duckdb.UUID(p) }
func delivery(d profile.DeliveryID) driver.Value { return duckdb.UUID(d) }

// The first and last instant that a row may have: what no clock means is none.
var (
	earliest = event.At(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	latest   = event.At(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
)

func at(t event.Time) driver.Value {
	if t == 0 || t < earliest || t > latest {
		return nil
	}
	return t.Time()
}

func amount(n int64, known bool) driver.Value {
	if !known {
		return nil
	}
	return n
}
