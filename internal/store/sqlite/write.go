package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"

	"rapport/internal/fault"
)

// transact runs do in a transaction on the writing connection. If do or the
// commit fails nothing has changed.
func (f *file) transact(ctx context.Context, do func(c *conn) error) error {
	return f.transactThen(ctx, do, func(error) {})
}

// transactThen is transact, and calls then with what came of it before the next
// transaction begins: what is kept in memory of the file changes in the order in
// which the file does.
func (f *file) transactThen(ctx context.Context, do func(c *conn) error, then func(error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	err := f.transaction(do)
	then(err)
	return err
}

// group collects what callers want written while the disk is busy with others.
type group struct {
	mu      sync.Mutex
	waiting []*call
	// first is done once in each transaction before what the callers want, and then
	// is called if it succeeded, before the next begins; nil: nothing comes first.
	first func(c *conn) (then func(), err error)
}

// call is one caller's part of a transaction.
type call struct {
	do   func(c *conn) error
	lazy bool // the caller does not wait for the disk
	done bool
	err  error
}

// together is transact for many callers at once: who comes while a transaction
// is being written goes into the next one with everybody else who came, so that
// a sync serves them all. If it fails, it fails for all of them.
func (f *file) together(ctx context.Context, do func(c *conn) error) error {
	return f.join(ctx, &call{do: do})
}

// lazily is together without waiting for the disk: the end of the machine, and
// only that, may take it back. The next transaction that waits covers it.
func (f *file) lazily(ctx context.Context, do func(c *conn) error) error {
	return f.join(ctx, &call{do: do, lazy: true})
}

func (f *file) join(ctx context.Context, mine *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.group.mu.Lock()
	f.group.waiting = append(f.group.waiting, mine)
	f.group.mu.Unlock()

	f.writing.Lock()
	defer f.writing.Unlock()
	if mine.done { // by somebody who had the lock before
		return mine.err
	}
	f.group.mu.Lock()
	calls := f.group.waiting
	f.group.waiting = nil
	f.group.mu.Unlock()
	var err error
	if slices.ContainsFunc(calls, func(c *call) bool { return !c.lazy }) {
		err = f.synchronous(calls)
	} else {
		err = f.unsynced(calls)
	}
	for _, call := range calls {
		call.done, call.err = true, err
	}
	return err
}

// synchronous runs the calls in one transaction that waits for the disk. The caller
// holds the lock for writing.
func (f *file) synchronous(calls []*call) error {
	then := func() {}
	err := f.transaction(func(c *conn) (err error) {
		if f.group.first != nil {
			if then, err = f.group.first(c); err != nil {
				return err
			}
		}
		return each(c, calls)
	})
	if err == nil {
		then()
	}
	return err
}

// unsynced runs the calls in one transaction that does not wait for the disk. The
// caller holds the lock for writing.
func (f *file) unsynced(calls []*call) error {
	run := func(c *conn) error { return each(c, calls) }
	if f.closed || !f.synced {
		return f.transaction(run)
	}
	if err := f.writer.exec("PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	err := f.transaction(run)
	if again := f.writer.exec("PRAGMA synchronous = FULL"); again != nil {
		// unreachable: the pragma touches no file. But nobody may believe in a
		// commit that was not synced.
		f.failed = fault.Wrap(fault.Unavailable, again, "the store cannot be synced any more: start the server again")
		return f.failed
	}
	return err
}

func each(c *conn, calls []*call) error {
	for _, call := range calls {
		if err := call.do(c); err != nil {
			return err
		}
	}
	return nil
}

// transaction runs do. The caller holds the lock for writing.
func (f *file) transaction(do func(c *conn) error) error {
	if f.closed {
		return errClosed
	}
	if f.failed != nil {
		return f.failed
	}
	err := f.writer.exec("BEGIN IMMEDIATE")
	if err == nil {
		if err = do(f.writer); err == nil {
			err = f.writer.exec("COMMIT")
		}
	}
	if err == nil {
		f.checker.committed(f.writer)
		return nil
	}
	// Some errors end the transaction by themselves.
	if !f.writer.db.AutoCommit() {
		if again := f.writer.exec("ROLLBACK"); again != nil {
			f.failed = fault.Wrap(fault.Unavailable, errors.Join(err, again), "a failed write could not be taken back: start the server again")
			f.log.Error("a failed write could not be taken back; nothing more is written", "file", f.path, "error", f.failed)
			return f.failed
		}
	}
	if unconfirmed(err) {
		// The operating system may have dropped what it could not write and
		// called it clean: a second sync would say yes to data that is gone.
		f.failed = fault.Wrap(fault.Unavailable, err, "the disk did not confirm a write: check it, then start the server again")
		f.log.Error("the disk did not confirm a write; nothing more is written", "file", f.path, "error", err)
		return f.failed
	}
	return err
}
