package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"

	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// Plans returns how SQLite runs every query that was ever prepared on the
// state: one line for each step, behind the query.
func (s *Store) Plans() (map[string][]string, error) { return s.file.plans() }

// Plans is that of the state for the ledger.
func (l *Ledger) Plans() (map[string][]string, error) { return l.file.plans() }

func (f *file) plans() (map[string][]string, error) {
	plans := map[string][]string{}
	f.writing.Lock()
	defer f.writing.Unlock()
	conns := []*conn{f.writer}
	for range f.all {
		conns = append(conns, <-f.readers)
	}
	defer func() {
		for _, c := range conns[1:] {
			f.readers <- c
		}
	}()
	for _, c := range conns {
		for query := range c.stmts {
			if plans[query] != nil || strings.HasPrefix(query, "PRAGMA") || strings.HasPrefix(query, "EXPLAIN") {
				continue
			}
			args := make([]any, c.stmts[query].db.NumInput())
			err := c.query(context.Background(), 4, func(row []driver.Value) error {
				plans[query] = append(plans[query], row[3].(string))
				return nil
			}, "EXPLAIN QUERY PLAN "+query, args...)
			if err != nil {
				return nil, err
			}
		}
	}
	return plans, nil
}

// Limit lets the file of the state grow to so many pages; zero takes the limit
// away.
func (s *Store) Limit(pages int) error { return s.file.limit(pages) }

// Limit is that of the state for the ledger.
func (l *Ledger) Limit(pages int) error { return l.file.limit(pages) }

func (f *file) limit(pages int) error {
	if pages == 0 {
		pages = 1 << 30
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.writer.query(context.Background(), 1, func([]driver.Value) error { return nil }, "PRAGMA max_page_count = "+strconv.Itoa(pages))
}

// Pages returns how many pages the file of the state has.
func (s *Store) Pages() (pages int, err error) {
	err = s.file.read(context.Background(), func(c *conn) error {
		return c.query(context.Background(), 1, func(row []driver.Value) error {
			pages = int(integer(row[0]))
			return nil
		}, "PRAGMA page_count")
	})
	return pages, err
}

// Schema returns the statements that make the schema of the state.
func (s *Store) Schema() (string, error) { return s.file.schema() }

// Schema is that of the state for the ledger.
func (l *Ledger) Schema() (string, error) { return l.file.schema() }

func (f *file) schema() (string, error) {
	var b strings.Builder
	err := f.read(context.Background(), func(c *conn) error {
		return c.query(context.Background(), 1, func(row []driver.Value) error {
			b.WriteString(row[0].(string) + ";\n")
			return nil
		}, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name")
	})
	return b.String(), err
}

// Checkpoint runs a round of the checkpointer and returns how many pages of the
// WAL are left.
func (s *Store) Checkpoint() (left int64, err error) {
	if err := s.file.checker.round(); err != nil {
		return 0, err
	}
	s.file.writing.Lock()
	defer s.file.writing.Unlock()
	return wal(s.file.writer, "NOOP")
}

// Waiting returns how many pages of the WAL are not in the database.
func (s *Store) Waiting() (int64, error) {
	s.file.writing.Lock()
	defer s.file.writing.Unlock()
	return wal(s.file.writer, "NOOP")
}

// MergeAt sets how many changes of a segment's members wait at least, and are brought in at once.
func (s *Store) MergeAt(n int) { s.roster.at = n }

// Merges returns how often changes were brought into the table since it was opened.
func (s *Store) Merges() uint64 { return s.roster.merges }

// Changes returns how many customers wait to be brought into the members of a segment, and
// how many rows say so.
func (s *Store) Changes(segment uint64) (waiting int, rows int64, err error) {
	if w := s.roster.waiting[segment]; w != nil {
		waiting = len(w.last)
	}
	err = s.file.read(context.Background(), func(c *conn) error {
		return c.query(context.Background(), 1, func(row []driver.Value) error {
			rows = integer(row[0])
			return nil
		}, "SELECT count(*) FROM member_changes WHERE segment = ?", segment)
	})
	return waiting, rows, err
}

// Compiled counts the questions that SQLite asks while it compiles statements of the state,
// but for pragmas, which change what others are compiled to.
func (s *Store) Compiled() *atomic.Int64 {
	n := new(atomic.Int64)
	count := func(what int, _, _, _ string) int {
		if what != sqlite3.SQLITE_PRAGMA {
			n.Add(1)
		}
		return sqlite3.SQLITE_OK
	}
	f := s.file
	for range f.all {
		c := <-f.readers
		c.db.RegisterAuthorizer(count)
		f.readers <- c
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	f.writer.db.RegisterAuthorizer(count)
	return n
}

// Reserve bounds the reserve for suppressions.
func (l *Ledger) Reserve(bytes int64) { l.reserve.size = bytes }

// Busy holds the ledger's writer until free is called. Next returns once so many
// callers wait to be written together.
func (l *Ledger) Busy() (next func(callers int), free func()) {
	l.file.writing.Lock()
	return func(callers int) {
		for waiting := 0; waiting < callers; runtime.Gosched() {
			l.file.group.mu.Lock()
			waiting = len(l.file.group.waiting)
			l.file.group.mu.Unlock()
		}
	}, l.file.writing.Unlock
}

// Remembered returns how many pieces of history are in memory.
func (s *Store) Remembered() (n int) {
	s.recent.mu.RLock()
	defer s.recent.mu.RUnlock()
	for i := range s.recent.commits {
		n += len(s.recent.commits[i].pieces)
	}
	return n
}

// Remembers reports whether a piece of a strand's history is in memory.
func (s *Store) Remembers(strand identity.ID) bool {
	s.recent.mu.RLock()
	defer s.recent.mu.RUnlock()
	for i := range s.recent.commits {
		for _, p := range s.recent.commits[i].pieces {
			if p.strand == strand {
				return true
			}
		}
	}
	return false
}

// WarmSlowly brings pieces of history into memory, where something happens after they are
// read, and reports whether they were kept.
func (s *Store) WarmSlowly(ctx context.Context, meanwhile func()) (kept bool, err error) {
	s.recent.want()
	next, epoch, room := s.recent.oldest()
	older, err := s.before(ctx, next, room)
	meanwhile()
	return s.recent.prepend(older, epoch), err
}

// WarmTooLate is WarmHistories where the minute is over as it begins to read.
func (s *Store) WarmTooLate(ctx context.Context) (kept bool, err error) {
	s.recent.want()
	s.Cool()
	next, epoch, room := s.recent.oldest()
	older, err := s.before(ctx, next, room)
	return s.recent.prepend(older, epoch), err
}

// Cool forgets what is in memory of histories, as it is after a while.
func (s *Store) Cool() { s.Cooling()() }

// Cooling returns what forgets that, unless it is wanted again until then.
func (s *Store) Cooling() func() {
	s.recent.mu.RLock()
	defer s.recent.mu.RUnlock()
	wants := s.recent.wants
	return func() { s.recent.cool(wants) }
}

// ReadTurns reads the turns of a position as a row has them.
func ReadTurns(text string) (p store.Position, err error) {
	err = readTurns(&p, text)
	return p, err
}

// WALTarget returns how large the WAL of the state grows, in bytes, and the pages that it
// is made of.
func (s *Store) WALTarget() (size, page int64, err error) {
	err = s.file.read(context.Background(), func(c *conn) error {
		return c.query(context.Background(), 1, func(row []driver.Value) error {
			page = integer(row[0])
			return nil
		}, "PRAGMA page_size")
	})
	return s.file.checker.most * page, page, err
}

// Unbundled asks for the rows of a census in a bundle and one by one, and returns what is
// said of each.
func (s *Store) Unbundled(first, last int64, limit int) (bundled, alone []string, err error) {
	err = s.file.read(context.Background(), func(c *conn) error {
		into := func(all *[]string) func(row []cell) error {
			return func(row []cell) error {
				*all = append(*all, fmt.Sprintf("%#v", row))
				return nil
			}
		}
		from, to := identity.ID{}, lastID()
		args := []any{first, last, from[:], to[:], limit}
		return errors.Join(c.bundle(nil, into(&bundled), census, args...), c.unbundled(into(&alone), census, args...))
	})
	return bundled, alone, err
}

func lastID() (id identity.ID) {
	for i := range id {
		id[i] = 0xff
	}
	return id
}
