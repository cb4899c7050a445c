package bench_test

import (
	"context"
	"log/slog"
	"testing"

	"rapport/internal/bench"
	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/channels/null"
	"rapport/internal/core/event"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// rig is what rapport bench measures.
func rig(t *testing.T) bench.Rig {
	return bench.Rig{
		Dir: t.TempDir(),
		Log: func(ctx context.Context, dir string, now func() event.Time) (eventlog.Log, error) {
			return natslog.Open(ctx, natslog.Options{Dir: dir, Now: now})
		},
		Store: func(ctx context.Context, dir string) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Dir: dir})
		},
		Ledger: func(ctx context.Context, dir string) (store.Ledger, error) {
			return sqlite.OpenLedger(ctx, sqlite.Options{Dir: dir})
		},
		Catalogue: func(ctx context.Context, dir string) (store.Catalogue, error) {
			return sqlite.OpenCatalogue(ctx, sqlite.Options{Dir: dir})
		},
		Interests: func(ctx context.Context, dir string) (store.Interests, error) {
			return sqlite.OpenInterests(ctx, sqlite.Options{Dir: dir})
		},
		SMTP:   func(addr string) (bench.Carrier, error) { return email.New(email.Options{Addr: addr}) },
		Signed: func(addr string) (bench.Carrier, error) { return email.New(email.Options{Addr: addr}) },
		Null:   func() channels.Channel { return &null.Channel{} },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func TestEveryBenchRuns(t *testing.T) {
	t.Parallel()
	for _, name := range bench.Names() {
		t.Run(name, func(t *testing.T) {
			if name == "reports" {
				t.Skip("the warehouse is linked into the command alone, whose tests run this one")
			}
			r, err := bench.Run(t.Context(), name, rig(t), bench.Options{Short: true, Progress: func(what string) { t.Log(what) }})
			if err != nil {
				t.Fatal(err)
			}
			if r.Name != name || r.Value <= 0 || r.Limit <= 0 || r.Ratio <= 0 || r.Unit == "" || r.LimitIs == "" || r.Inside == "" || r.Target == "" || r.Machine.Cores == 0 {
				t.Errorf("a result must be whole: %+v", r)
			}
			t.Logf("%.0f %s of %.0f (%.2f) in %.1f s: %v %v", r.Value, r.Unit, r.Limit, r.Ratio, r.Seconds, r.Figures, r.Params)
		})
	}
}

func TestAnUnknownBenchNamesThoseThatThereAre(t *testing.T) {
	t.Parallel()
	_, err := bench.Run(t.Context(), "speed", bench.Rig{Dir: t.TempDir()}, bench.Options{})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("Run = %v, want Invalid", err)
	}
}
