package csv_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/sources/csv"
	"rapport/internal/store/memory"
)

func TestAReportCanBeCorrectedAndImported(t *testing.T) {
	t.Parallel()
	file := "order,date,name,qty,price\n1,2026-01-02,\"a, \"\"b\"\"\",two,5\n1,2026-01-02,=1+1,1,-5\n1,2026-01-02,c,-1,5\n\"x\"y,2026,c,1,1\n"
	var b bytes.Buffer
	var report *csv.Report
	g := &got{}
	_, err := csv.Import(t.Context(), strings.NewReader(file), g.options(func(o *csv.Options) {
		o.Columns = func(m csv.Mapping) (err error) {
			report, err = csv.NewReport(&b, m)
			return err
		}
		o.Refuse = func(r csv.Refusal) error { return report.Add(r) }
	}))
	if err != nil || report.Close() != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"line,reason,order,date,name,qty,price\n", `"a, ""b""",two,5`, "'=1+1,1,-5\n", ",-1,5\n", `"""x""y,2026,c,1,1"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the report has no %q:\n%s", want, text)
		}
	}
	if report.Lines() != 4 {
		t.Errorf("the report has %d lines, want 4:\n%s", report.Lines(), text)
	}
	lines := strings.SplitAfter(text, "\n")
	corrected := strings.Join(lines[:len(lines)-2], "")
	corrected = strings.NewReplacer(",two,", ",2,", "'=1+1", "sum").Replace(corrected)
	again := imported(t, corrected)
	again.wantRefused(t)
	if len(again.events) != 2 { // bought, and what was returned
		t.Errorf("%d events from the corrected report, want 2:\n%s", len(again.events), corrected)
	}
}

func TestImportingAFileTwiceChangesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	now := clock.Virtual(event.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)))
	var key identity.Key
	prog, problems := program.Compile(program.Default(), program.Options{Workspace: "w", Key: key})
	if prog == nil {
		t.Fatal(problems)
	}
	e, err := engine.Open(t.Context(), engine.Options{
		Log: memlog.New(1, now.Now), Store: memory.New(), Key: key, Now: now.Now, Virtual: true,
		Programs: func(context.Context, uint64) (*core.Program, error) { return prog.Core, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Switch(t.Context(), prog.Core.Hash); err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	file.WriteString(head)
	for range 400 { // more orders than a profile remembers the ids of
		file.WriteString("n,2026-01-02,a,Lamp,2,9.99,ada,,GBP\n")
	}
	rows := strings.Split(file.String(), "\n")
	for i := 1; i < len(rows)-1; i++ {
		rows[i] = string(rune('a'+i%26)) + string(rune('a'+i/26)) + rows[i]
	}
	for range 3 {
		g := &got{}
		if _, err := csv.Import(t.Context(), strings.NewReader(strings.Join(rows, "\n")), g.options(func(o *csv.Options) {
			o.Append = func(ctx context.Context, events []event.Event) error {
				var entries []identity.Addressed
				for _, ev := range events {
					a, ok := key.Address(ev)
					if !ok {
						t.Errorf("%s identifies nobody", ev.ID)
					}
					entries = append(entries, a)
				}
				return e.Append(ctx, entries)
			}
		})); err != nil {
			t.Fatal(err)
		}
		if err := e.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		ada, err := e.Profile(t.Context(), key.Home(identity.Identifier{Kind: identity.User, Value: "ada"}))
		if err != nil || ada == nil {
			t.Fatal(ada, err)
		}
		if len(ada.Orders) != 400 || ada.Count != 400 || ada.Spent("GBP", "").String() != "7992.00" {
			t.Fatalf("ada has %d orders, %d events and spent %s", len(ada.Orders), ada.Count, ada.Spent("GBP", ""))
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(head+"1,2026-01-02,a,,1,5,7,,GBP\n"), byte(0))
	f.Add([]byte("order;date;price\n\"1\";\"01.02.2026\";\"1.234,5\"\n\"\n"), byte(1))
	f.Add([]byte("order\tdate\tprice\r\n1\t12/31/2025 6:30 PM\t(5)\r\n"), byte(0))
	f.Fuzz(func(t *testing.T, file []byte, how byte) {
		g := &got{}
		o := g.options(func(o *csv.Options) {
			o.Dates = csv.DayFirst
			if how&1 != 0 {
				o.Decimal = ','
			}
			if how&2 != 0 {
				o.Encoding = csv.Windows1252
			}
		})
		totals, err := csv.Import(context.Background(), bytes.NewReader(file), o)
		if err != nil {
			return
		}
		if int(totals.Refused) != len(g.refused) || totals.Refused > totals.Rows {
			t.Fatalf("%d refused, %d told, of %d", totals.Refused, len(g.refused), totals.Rows)
		}
		if int64(len(g.events)) != totals.Orders+totals.Refunds {
			t.Fatalf("%d events, %+v", len(g.events), totals)
		}
		for i := range g.events {
			e := &g.events[i]
			if _, err := event.OrderOf(e.Name, e.Props); err != nil {
				t.Fatalf("an order that the core does not understand: %v", err)
			}
			if len(identity.Of(e)) == 0 || len(e.ID) > 100 || !e.Props.Valid() || !e.Traits.Valid() {
				t.Fatalf("a bad event: %+v", e)
			}
		}
	})
}
