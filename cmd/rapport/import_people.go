package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// vendorFlag says who wrote a file.
type vendorFlag struct {
	From string `placeholder:"VENDOR" help:"Who wrote the file: klaviyo, mailchimp, dotdigital or listmonk. Default: told by its columns."`
}

// asOfFlag says how old rows without a date are.
type asOfFlag struct {
	AsOf string `placeholder:"DATE" help:"When rows without a date were true, such as 2026-03-01."`
}

type importCustomersCmd struct {
	importFlags
	vendorFlag
	asOfFlag
	List string `placeholder:"NAME" help:"A static list that everybody in the file is on; segments can ask for it: {trait: lists, is: NAME}."`
}

type importConsentsCmd struct {
	importFlags
	vendorFlag
	asOfFlag
	Channel string `default:"email" help:"Channel of rows that name none."`
	Purpose string `default:"marketing" help:"Purpose of rows that name none."`
	Granted bool   `help:"Everybody in the file agreed: it has no column that says so."`
}

type importSuppressionsCmd struct {
	importFlags
	vendorFlag
	asOfFlag
	Channel string `default:"email" help:"Channel of rows that name none."`
	Purpose string `default:"marketing" help:"Purpose of rows that name none and were unsubscribed; bounces and complaints stop every purpose."`
	Reason  string `default:"unsubscribed" enum:"unsubscribed,bounced,complained,manual" help:"Reason of rows that name none: unsubscribed, bounced, complained or manual."`
}

type importEventsCmd struct {
	importFlags
}

// Run imports the file.
func (c *importCustomersCmd) Run(ctx context.Context, e *env) error {
	return importPeople(ctx, e, &c.importFlags, people.Options{Kind: people.Customers, From: people.Vendor(c.From), List: c.List}, c.AsOf)
}

// Run imports the file.
func (c *importConsentsCmd) Run(ctx context.Context, e *env) error {
	return importPeople(ctx, e, &c.importFlags, people.Options{Kind: people.Consents, From: people.Vendor(c.From), Channel: c.Channel, Purpose: c.Purpose, Granted: c.Granted}, c.AsOf)
}

// Run imports the file.
func (c *importSuppressionsCmd) Run(ctx context.Context, e *env) error {
	reason := map[string]string{"bounced": store.Bounced, "complained": store.Complained, "manual": store.Manual}[c.Reason]
	return importPeople(ctx, e, &c.importFlags, people.Options{Kind: people.Suppressions, From: people.Vendor(c.From), Channel: c.Channel, Purpose: c.Purpose, Reason: reason}, c.AsOf)
}

// Run imports the file.
func (c *importEventsCmd) Run(ctx context.Context, e *env) error {
	return importPeople(ctx, e, &c.importFlags, people.Options{Kind: people.Events}, "")
}

// importPeople imports a file of any kind but orders. It fails if a line was refused.
func importPeople(ctx context.Context, e *env, f *importFlags, o people.Options, asOf string) error {
	i, err := f.start(e, string(o.Kind))
	if err != nil {
		return err
	}
	if o.From == people.AnyVendor {
		o.From = people.Vendor(i.from)
	}
	if o.From, err = people.ParseVendor(string(o.From)); err != nil {
		return fmt.Errorf("%w: --from: %w", errMisuse, err)
	}
	i.from = string(o.From)
	o.Map, o.Zone, o.Dates, o.Delimiter, o.Encoding = i.said, i.zone, table.DateOrder(strings.ToLower(f.Dates)), i.delimiter, table.Encoding(strings.ToLower(f.Encoding))
	o.Source, o.Live, o.Import = f.Source, f.Live, "dry-run"
	if asOf != "" {
		dates := table.Dates{Zone: i.zone}
		at, why := dates.Parse([]byte(asOf))
		if why != "" {
			return fmt.Errorf("%w: --as-of: %s", errMisuse, why)
		}
		o.AsOf = event.At(at)
	}
	in, err := i.input()
	if err != nil {
		return err
	}
	defer in.Close()
	o.Shown = func(s people.Shown) error {
		i.show(s)
		return i.understood(s.Mapping.Header, mapFile{
			From: string(s.From), Columns: s.Mapping.Said(), Dates: string(s.Dates), Zone: f.Zone, Delimiter: f.Delimiter, Encoding: string(s.Encoding),
		})
	}
	o.Refuse = i.refuse
	o.Progress = func(p people.Progress) error {
		i.tell(p.Totals.Rows, p.Totals.Refused, fmt.Sprintf("%d people", p.Totals.People))
		return nil
	}
	var totals people.Totals
	err = i.work(ctx, func() (err error) {
		if i.imp == nil {
			totals, err = people.Import(ctx, in, o)
		} else {
			totals, err = i.imp.People(ctx, in, o)
		}
		return err
	})
	if report := i.closeReport(); err == nil {
		err = report
	}
	return errors.Join(err, i.printPeople(totals, err))
}

// printPeople says what was in the file.
func (i *importing) printPeople(t people.Totals, failed error) error {
	if i.JSON {
		if err := i.e.printJSON(struct {
			people.Totals
			result
		}{t, i.result(t.Rows, failed)}); err != nil {
			return err
		}
	} else if i.header != nil {
		what := "imported"
		if i.DryRun {
			what = "would be imported"
		}
		out := i.e.out
		fmt.Fprintf(out, "%d lines about %d people: %d events %s, %d lines say nothing of %s, %d refused\n", t.Rows, t.People, t.Events, what, t.Silent, i.kind, t.Refused)
		if t.Granted+t.Withdrawn+t.Outweighed > 0 {
			fmt.Fprintf(out, "consents: %d given, %d withdrawn, %d given by people who are suppressed and stay so\n", t.Granted, t.Withdrawn, t.Outweighed)
		}
		for _, reason := range slices.Sorted(maps.Keys(t.Suppressed)) {
			fmt.Fprintf(out, "suppressed: %d %s\n", t.Suppressed[reason], reason)
		}
		if t.First != 0 {
			fmt.Fprintf(out, "from %s to %s\n", t.First, t.Last)
		}
		fmt.Fprintf(out, "%.1f s, %.0f lines/s\n", time.Since(i.began).Seconds(), i.rate(t.Rows))
		i.writeProblems(t.Refused)
		if err := i.writeReached(); err != nil {
			return err
		}
	}
	return i.finish(failed, t.Rows, t.Refused)
}
