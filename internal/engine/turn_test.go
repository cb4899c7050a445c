package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/store"
)

// aloof counts how often histories are read while a commit is written.
type aloof struct {
	store.Store
	writing       atomic.Bool
	read, between atomic.Int64
	commits       atomic.Int64
}

func (a *aloof) Commit(ctx context.Context, c *store.Commit) error {
	a.writing.Store(true)
	defer a.writing.Store(false)
	a.commits.Add(1)
	time.Sleep(5 * time.Millisecond)
	return a.Store.Commit(ctx, c)
}

func (a *aloof) Histories(ctx context.Context, strands []store.Strand) ([][]store.Block, error) {
	a.read.Add(1)
	defer func() {
		if a.writing.Load() {
			a.between.Add(1)
		}
	}()
	return a.Store.Histories(ctx, strands)
}

// Two processors are too few for both beside whoever is live.
func TestASweepOverHistoriesAndACommitTakeTurns(t *testing.T) {
	t.Parallel()
	if n := runtime.GOMAXPROCS(0); n > 3 {
		t.Skipf("with %d processors they need not", n)
	}
	const people = 3000
	e := newEditions(t, 1, "{did: Product Viewed, within: 7d}", "{did: Product Viewed, where: {price: {exists: false}}}")
	e.edition(0)
	for i := range people {
		e.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	e.settle()
	a := &aloof{Store: e.store}
	var err error
	if e.e, err = engine.Open(t.Context(), engine.Options{
		Log: e.log, Store: a, Key: e.key, Now: e.clock.Now, DirtyBytes: 1, Programs: e.program,
	}); err != nil {
		t.Fatal(err)
	}
	e.e.Start()
	defer func() {
		if err := e.e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if err := e.e.Switch(t.Context(), e.list[1].Hash); err != nil {
		t.Fatal(err)
	}
	e.caughtUp()
	for done, of := e.e.Swept(); done < of; done, of = e.e.Swept() {
		time.Sleep(time.Millisecond)
	}
	if read, commits := a.read.Load(), a.commits.Load(); read < people/100 || commits < 5 {
		t.Fatalf("%d readings and %d commits: the test tests little", read, commits)
	}
	if n := a.between.Load(); n > 0 {
		t.Errorf("histories were read %d times of %d while a commit was written", n, a.read.Load())
	}
	if p := e.who(identity.User, "user-1"); !e.list[1].Current(p) {
		t.Error("the sweep has left somebody out")
	}
}
