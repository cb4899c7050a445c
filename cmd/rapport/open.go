package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/identity"
	"rapport/internal/durable"
	"rapport/internal/erase"
	"rapport/internal/eventlog"
	"rapport/internal/eventlog/natslog"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/people"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/store"
	"rapport/internal/store/sqlite"
)

// workspace is the one workspace of a data directory. Every id begins with it, so
// that a second one can come later without renaming anything.
const workspace = "default"

// directory is an open data directory: every adapter of the embedded column.
type directory struct {
	dir      string
	log      eventlog.Log
	store    store.Store
	ledger   store.Ledger
	erasures *erase.List
	ring     *keys.Ring
	people   *people.Book
	fresh    []keys.New // keys made just now: shown once
	key      identity.Key
	tables   *tables // the warehouse and who fills it; nil: there is none
	shops    *shops  // nil unless audit opened them: a server opens its own
	unlock   func() error
}

// opening are the choices of openDirectory.
type opening struct {
	clock   *clock.Clock
	lanes   int
	key     *identity.Key // to begin a new directory with; nil: read or made
	create  bool          // make what is not there
	pagesMB int           // megabytes of each database file that stay in memory; 0: as the store does
	logger  *slog.Logger
}

// mustBeThere refuses a data directory that is not there: a slip of the finger must
// not read as nothing to show.
func mustBeThere(dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return fault.New(fault.NotFound, dir+" is no data directory: rapport serve --data "+dir+" makes one")
	}
	return nil
}

// openDirectory opens a data directory for this process alone.
func openDirectory(ctx context.Context, dir string, o opening) (_ *directory, err error) {
	if o.create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
		}
	} else if _, err := os.Stat(filepath.Join(dir, "state.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, dir+" is no data directory: it has no state.db. rapport serve --data "+dir+" makes one")
	}
	d := &directory{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.unlock, err = sqlite.LockDir(dir); err != nil {
		return nil, err
	}
	keyFile := filepath.Join(dir, "workspace.key")
	if o.key != nil { // whoever looks at the directory later needs it
		if err := durable.Write(keyFile, o.key[:]); err != nil {
			return nil, err
		}
	}
	if d.key, err = workspaceKey(keyFile, o.create); err != nil {
		return nil, err
	}
	if d.ring, d.fresh, err = keys.Open(dir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "state.db")); errors.Is(err, fs.ErrNotExist) {
		if err := newInstance(dir); err != nil {
			return nil, err
		}
	}
	// Each is kept only once it is open: a nil adapter in an interface is not nil.
	log, err := natslog.Open(ctx, natslog.Options{Dir: filepath.Join(dir, "log"), Lanes: max(o.lanes, 1), Now: o.clock.Now, Log: o.logger})
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	d.log = log
	state, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, CacheMB: o.pagesMB, Log: o.logger})
	if err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	d.store = state
	ledger, err := sqlite.OpenLedger(ctx, sqlite.Options{Dir: dir, CacheMB: o.pagesMB, Log: o.logger})
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	d.ledger = ledger
	if d.erasures, err = erase.Open(filepath.Join(dir, erase.File)); err != nil {
		return nil, err
	}
	if d.people, err = people.Open(dir, time.Now); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *directory) close() error {
	errs := []error{d.tables.close(), d.shops.close(), d.people.Close()}
	if d.erasures != nil {
		errs = append(errs, d.erasures.Close())
	}
	if d.ledger != nil {
		errs = append(errs, d.ledger.Close())
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.unlock != nil {
		errs = append(errs, d.unlock())
	}
	return errors.Join(errs...)
}

// workspaceKey reads the secret from which profile ids and links are made, or
// makes it. Without it no id can be found again, so it is part of every backup.
func workspaceKey(path string, create bool) (k identity.Key, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if _, err := rand.Read(k[:]); err != nil {
			return k, err
		}
		return k, durable.Write(path, k[:])
	}
	if err != nil {
		return k, fault.Wrap(fault.NotFound, err, "the workspace key cannot be read")
	}
	if len(b) != len(k) {
		return k, fault.New(fault.Corrupt, path+" is not a workspace key: it must be 32 bytes. Restore it from the backup")
	}
	copy(k[:], b)
	return k, nil
}

// definitions reads a folder of definitions; an empty name gives the built-in ones.
func definitions(dir string) (*program.Source, error) {
	if dir == "" {
		return program.Default(), nil
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, fault.New(fault.NotFound, dir+" is not a folder of definitions")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return program.Read(root.FS())
}

// audit opens a data directory to look at it: what is in the log and not yet in
// the state is applied first, and nothing is sent. Messages that are looked at ask
// the catalogue, as those that a server sends.
func audit(ctx context.Context, e *env, dir string) (*directory, *run.Node, error) {
	clock := clock.Wall()
	d, err := openDirectory(ctx, dir, opening{clock: clock, logger: e.logger})
	if err != nil {
		return nil, nil, err
	}
	if d.shops, err = openShops(ctx, dir, clock.Now, e.logger); err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	n, err := run.Open(ctx, run.Options{
		Log: d.log, Store: d.store, Ledger: d.ledger, Workspace: workspace, Key: d.key, Clock: clock, Logger: e.logger, Erasures: d.erasures, NoSending: true, Tables: shut{dir},
		Products: goods{d.shops.keeper, nil}, Known: d.lazyKnown(e.logger), Forget: []run.Forget{forgetCaught(dir)},
	})
	if err == nil {
		err = n.Engine.CatchUp(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return d, n, nil
}
