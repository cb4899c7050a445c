package run_test

import (
	"context"
	"fmt"
	"testing"

	"rapport/internal/clock"
	"rapport/internal/core/identity"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/store/memory"
)

// Whoever reads the definitions after they changed them finds what they wrote.
func TestDefinitionsAreInForceOnceApplyReturns(t *testing.T) {
	t.Parallel()
	c := clock.Wall()
	n, err := run.Open(t.Context(), run.Options{
		Log: memlog.New(2, c.Now), Store: memory.New(), Ledger: memory.NewLedger(), Workspace: "default", Key: identity.Key{7}, Clock: c, NoSending: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for i := range 20 {
		src, err := program.New([]program.File{
			{Path: "shop.yaml", Body: fmt.Sprintf("name: Shop %d\nzone: Europe/London\ncurrency: GBP\nwebsite: https://shop.example\npostal: 1 Street\npurposes: {marketing: News}\nsenders:\n  email: {from_name: Shop, from: a@shop.example}\n", i)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if problems, err := n.Apply(t.Context(), src); err != nil {
			t.Fatal(err, problems)
		}
		p, err := n.Program(t.Context())
		if err != nil || p == nil || p.Source.Hash() != src.Hash() {
			t.Fatalf("round %d has other definitions in force, %v", i, err)
		}
	}
}
