package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	retail "rapport/examples/online-retail"
	"rapport/internal/clock"
	"rapport/internal/imports"
	"rapport/internal/run"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/store"
)

// importBench imports orders from files as `rapport import orders` does.
func importBench(ctx context.Context, b *bench) error {
	r := &b.result
	r.Target = "≥ 50,000 rows/s of the UCI file (21 lines an invoice); ≥ 20,000 of one-line orders; ≥ 50,000 of consents of new customers"
	r.Inside = "unpacking and reading the file, one event an order, the log, Apply, and the commit of everything"
	r.LimitIs = "reading the same file and making its events without appending them"
	uci := func() (io.ReadCloser, error) {
		f, err := retail.CSV()
		if err != nil || !b.o.Short {
			return f, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, 200<<10), f}, nil
	}
	n := b.size(500, 200_000, 1_000_000)
	r.Params["one_line_orders"] = n
	b.say("reading the UCI file")
	limit, _, err := b.read(ctx, uci, nil)
	if err != nil {
		return err
	}
	b.say("importing it")
	var rate float64
	var totals csv.Totals
	err = b.profiled("", func() (err error) {
		rate, totals, err = b.bring(ctx, "uci", uci)
		return err
	})
	if err != nil {
		return err
	}
	r.more(rate, limit, "rows/s")
	r.Params["rows"], r.Params["orders"] = totals.Rows, totals.Orders+totals.Refunds
	r.Figures["orders_per_s"] = rate * float64(totals.Orders+totals.Refunds) / float64(totals.Rows)

	lines := oneLine(n)
	single := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(lines)), nil }
	b.say("importing %d orders of one line", n)
	if limit, _, err = b.read(ctx, single, nil); err != nil {
		return err
	}
	if rate, _, err = b.bring(ctx, "single", single); err != nil {
		return err
	}
	r.Figures["one_line_rows_per_s"], r.Figures["one_line_limit_rows_per_s"] = rate, limit
	return b.bringConsents(ctx, n)
}

// bringConsents imports n consents, each of a new customer, as `rapport import
// consents` does: with the book, and asking the ledger of each address.
func (b *bench) bringConsents(ctx context.Context, n int) error {
	r := &b.result
	lines := consents(n)
	b.say("importing %d consents of new customers", n)
	options := people.Options{Kind: people.Consents, Source: "bench", Import: "bench", Channel: "email", Purpose: "marketing", Now: wall()}
	began := time.Now()
	totals, err := people.Import(ctx, bytes.NewReader(lines), options)
	if err != nil {
		return err
	}
	r.Figures["consents_limit_rows_per_s"] = float64(totals.Rows) / time.Since(began).Seconds()
	return b.shopOf(ctx, "consents", func(node *run.Node, ledger store.Ledger) error {
		return b.profiled("consents-", func() error {
			began := time.Now()
			imp, err := imports.Begin(imports.Open(filepath.Join(b.dir, "consents"), wall), node, ledger, imports.Plan{Kind: string(people.Consents), Source: "bench", By: "bench"})
			if err != nil {
				return err
			}
			totals, err := imp.People(ctx, bytes.NewReader(lines), options)
			if err = errors.Join(err, imp.Close()); err != nil {
				return err
			}
			r.Figures["consents_heard_rows_per_s"] = float64(totals.Rows) / time.Since(began).Seconds()
			if err := node.Close(ctx); err != nil { // what is in the log is applied and committed
				return err
			}
			if totals.Granted != totals.Rows {
				return fmt.Errorf("of %d consents only %d were taken", totals.Rows, totals.Granted)
			}
			r.Figures["consents_rows_per_s"] = float64(totals.Rows) / time.Since(began).Seconds()
			return nil
		})
	})
}

// read reads a file and returns rows a second; with a node it imports.
func (b *bench) read(ctx context.Context, open func() (io.ReadCloser, error), n *run.Node) (rate float64, totals csv.Totals, err error) {
	f, err := open()
	if err != nil {
		return 0, totals, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	began := time.Now()
	o := csv.Options{Source: "bench", ReturnsPrefix: "C", Currency: "GBP"}
	if n != nil {
		o.Append = n.Hear
	}
	if totals, err = csv.Import(ctx, f, o); err != nil {
		return 0, totals, err
	}
	if n != nil {
		// Orderly closing applies and commits what is in the log.
		if err := n.Close(ctx); err != nil {
			return 0, totals, err
		}
	}
	return float64(totals.Rows) / time.Since(began).Seconds(), totals, nil
}

// bring imports a file into a node of its own.
func (b *bench) bring(ctx context.Context, name string, open func() (io.ReadCloser, error)) (rate float64, totals csv.Totals, err error) {
	err = b.shopOf(ctx, name, func(n *run.Node, _ store.Ledger) (err error) {
		rate, totals, err = b.read(ctx, open, n)
		return err
	})
	if err != nil {
		return 0, totals, err
	}
	if totals.Refused > 1 { // the last line of a file that was cut off for a short run
		return 0, totals, fmt.Errorf("%d lines of the bench's own file were refused", totals.Refused)
	}
	return rate, totals, nil
}

// shopOf makes a node of its own for work, which closes it if all is well.
func (b *bench) shopOf(ctx context.Context, name string, work func(n *run.Node, ledger store.Ledger) error) (err error) {
	dir := filepath.Join(b.dir, name)
	log, err := b.Log(ctx, filepath.Join(dir, "log"), wall)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	state, err := b.Store(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	ledger, err := b.Ledger(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	n, err := run.Open(ctx, run.Options{Log: log, Store: state, Ledger: ledger, Workspace: workspace, Key: secret, Clock: clock.Wall(), Logger: b.Logger, NoSending: true})
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	src, err := bigShop()
	if err == nil {
		_, err = n.Apply(ctx, src)
	}
	if err != nil {
		return errors.Join(err, n.Close(ctx))
	}
	if err := work(n, ledger); err != nil {
		return errors.Join(err, n.Close(ctx))
	}
	return nil
}

// oneLine makes a file of orders of one line each.
func oneLine(n int) []byte {
	var b bytes.Buffer
	b.WriteString("order_id,date,sku,name,quantity,price,customer_id,email,country,currency\n")
	began := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := began.Add(time.Duration(i) * time.Minute / 4).Format("2006-01-02 15:04:05")
		customer := i % max(n/4, 1)
		fmt.Fprintf(&b, "n%d,%s,SKU-%d,\"Product number %d\",%d,%d.99,u%07d,%s,GB,GBP\n", i, at, i%5000, i%5000, 1+i%3, 5+i%90, customer, emailOf(customer))
	}
	return b.Bytes()
}

// consents makes a file of consents, each of a customer who was not known.
func consents(n int) []byte {
	var b bytes.Buffer
	b.WriteString("email,channel,purpose,state,date,evidence,wording\n")
	began := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(&b, "%s,email,marketing,granted,%s,form at the till,v3\n", emailOf(i), began.Add(time.Duration(i)*time.Minute/4).Format("2006-01-02 15:04:05"))
	}
	return b.Bytes()
}
