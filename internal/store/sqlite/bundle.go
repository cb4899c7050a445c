package sqlite

/*
#include <stddef.h>

// bundle is what was put together last on a connection.
struct bundle {
	unsigned char *all;
	size_t used, room;
};

#ifdef __ELF__
#include <stdlib.h>
#include <string.h>

// As in plans.go they come with the driver, and are weak. A context and a value are what
// they are to SQLite.
extern int sqlite3_auto_extension(void (*)(void)) __attribute__((weak));
extern int sqlite3_create_function_v2(void *, const char *, int, int, void *, void (*)(void *, int, void **), void (*)(void *, int, void **), void (*)(void *), void (*)(void *)) __attribute__((weak));
extern void *sqlite3_user_data(void *) __attribute__((weak));
extern void *sqlite3_aggregate_context(void *, int) __attribute__((weak));
extern int sqlite3_value_type(void *) __attribute__((weak));
extern long long sqlite3_value_int64(void *) __attribute__((weak));
extern const void *sqlite3_value_blob(void *) __attribute__((weak));
extern int sqlite3_value_bytes(void *) __attribute__((weak));
extern void sqlite3_result_int64(void *, long long) __attribute__((weak));
extern void sqlite3_result_error_nomem(void *) __attribute__((weak));

enum { utf8 = 1, directonly = 0x80000, integer = 1, blob = 4 }; // as SQLite numbers them

enum { least = 64 << 10, most = 1 << 20 }; // bytes of a bundle, and what is kept for the next one

static void put_word(struct bundle *b, unsigned char kind, unsigned long long w) {
	b->all[b->used++] = kind;
	for (int i = 0; i < 8; i++, w >>= 8) b->all[b->used++] = (unsigned char)w;
}

static void begin(struct bundle *b) {
	b->used = 0;
	if (b->room > most) {
		free(b->all);
		b->all = NULL, b->room = 0;
	}
}

// A value is its kind and a word: an integer, how many bytes follow, or nothing.
static void add_row(void *context, int n, void **values) {
	struct bundle *b = sqlite3_user_data(context);
	char *begun = sqlite3_aggregate_context(context, 1);
	if (!begun) {
		sqlite3_result_error_nomem(context);
		return;
	}
	if (!*begun) begin(b);
	*begun = 1;
	size_t need = 0;
	for (int i = 0; i < n; i++) {
		need += 9;
		if (sqlite3_value_type(values[i]) == blob) need += sqlite3_value_bytes(values[i]);
	}
	if (b->room - b->used < need) {
		size_t room = 2 * b->room + need + least;
		unsigned char *all = realloc(b->all, room);
		if (!all) {
			sqlite3_result_error_nomem(context);
			return;
		}
		b->all = all, b->room = room;
	}
	for (int i = 0; i < n; i++) {
		int kind = sqlite3_value_type(values[i]);
		if (kind == blob) {
			const void *bytes = sqlite3_value_blob(values[i]);
			size_t size = sqlite3_value_bytes(values[i]);
			put_word(b, kind, size);
			if (size) memcpy(b->all + b->used, bytes, size);
			b->used += size;
		} else {
			put_word(b, kind, kind == integer ? sqlite3_value_int64(values[i]) : 0);
		}
	}
}

static void end_rows(void *context) {
	struct bundle *b = sqlite3_user_data(context);
	if (!sqlite3_aggregate_context(context, 0)) begin(b); // there are none
	sqlite3_result_int64(context, (long long)(ptrdiff_t)b);
}

static void forget(void *bundle) {
	struct bundle *b = bundle;
	free(b->all);
	free(b);
}

static int with_bundles(void *db, char **error, const void *api) {
	struct bundle *b = calloc(1, sizeof *b);
	if (!b) return 7; // SQLITE_NOMEM
	return sqlite3_create_function_v2(db, "bundle", -1, utf8 | directonly, b, NULL, add_row, end_rows, forget);
}

static int make_bundles(void) {
	if (!sqlite3_auto_extension || !sqlite3_create_function_v2) return 0;
	return sqlite3_auto_extension((void (*)(void))with_bundles) == 0;
}
#else
static int make_bundles(void) { return 0; }
#endif

static struct bundle *bundle_at(long long address) { return (struct bundle *)(ptrdiff_t)address; }
*/
import "C"

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"sync"
	"unsafe"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// bundles teaches SQLite the aggregate bundle(…), which puts rows together in memory of the
// connection and returns where that is, and reports whether it did. A row that comes by
// itself is a call into C and a piece of memory for each of its values: a third of what it
// takes to read it. A connection has one bundle at a time.
var bundles = sync.OnceValue(func() bool { return C.make_bundles() != 0 })

// bundled is a query of many rows, whose values are integers, bytes and NULL.
type bundled struct {
	columns      int
	plain, whole string
}

// newBundled takes the query and the names of its columns, which begin with a blank and are
// separated by commas. Its order must be one that a limit needs.
func newBundled(columns int, names, query string) *bundled {
	return &bundled{columns, query, "SELECT bundle(" + names + ") FROM (" + query + ")"}
}

// cell is a value of a row. To take it for what it is not is to find damage, as with the
// values of the driver: [file.read] tells.
type cell struct {
	kind  byte
	word  int64
	bytes []byte
}

// The kinds of values that we write, as SQLite numbers them.
const (
	kindInteger = 1
	kindBlob    = 4
	kindNull    = 5
)

// cellOf is what the driver calls v.
func cellOf(v driver.Value) cell {
	switch v := v.(type) {
	case int64:
		return cell{kind: kindInteger, word: v}
	case []byte:
		return cell{kind: kindBlob, bytes: v}
	case nil:
		return cell{kind: kindNull}
	}
	return cell{}
}

func (c *cell) must(kind byte) {
	if c.kind != kind {
		panic(fmt.Sprintf("a value of kind %d where one of kind %d is written", c.kind, kind))
	}
}

func (c *cell) integer() int64 {
	c.must(kindInteger)
	return c.word
}

func (c *cell) blob() []byte {
	c.must(kindBlob)
	return c.bytes
}

// maybe is blob of what may be NULL.
func (c *cell) maybe() []byte {
	if c.kind == kindNull {
		return nil
	}
	return c.blob()
}

// id is as in [id16].
func (c *cell) id() (id identity.ID) {
	copy(id[:], c.bytes)
	return id
}

// instant reads an instant; NULL never comes.
func (c *cell) instant() event.Time {
	if c.kind == kindNull {
		return event.Never
	}
	return event.Time(c.integer())
}

// maxColumns bounds the columns of what is bundled.
const maxColumns = 8

// bundle calls each for every row of a query, whose bytes lie behind one another in room, or
// in memory of their own if it is nil. The slice is not each's to keep.
func (c *conn) bundle(room *[]byte, each func(row []cell) error, q *bundled, args ...any) error {
	if !bundles() {
		return c.unbundled(each, q, args...)
	}
	var cells [maxColumns]cell
	row := cells[:q.columns]
	return c.find(1, func(values []driver.Value) error {
		b := C.bundle_at(C.longlong(integer(values[0])))
		all := takeBundle(room, unsafe.Slice((*byte)(b.all), int(b.used)))
		rows := 0
		defer func() { c.breathe(rows) }() // a row takes about as long as a call
		for ; len(all) > 0; rows++ {
			for i := range row {
				if len(all) < 9 {
					return errBundle
				}
				row[i] = cell{kind: all[0], word: int64(binary.LittleEndian.Uint64(all[1:]))}
				if all = all[9:]; row[i].kind != kindBlob {
					continue
				}
				n := row[i].word
				if n < 0 || n > int64(len(all)) {
					return errBundle
				}
				row[i], all = cell{kind: kindBlob, bytes: all[:n:n]}, all[n:]
			}
			if err := each(row); err != nil {
				return err
			}
		}
		return nil
	}, q.whole, args...)
}

// unbundled is bundle where SQLite does not know how.
func (c *conn) unbundled(each func(row []cell) error, q *bundled, args ...any) error {
	var cells [maxColumns]cell
	row := cells[:q.columns]
	return c.query(context.Background(), q.columns, func(values []driver.Value) error {
		for i, v := range values {
			row[i] = cellOf(v)
		}
		return each(row)
	}, q.plain, args...)
}

// takeBundle copies what C has into room, or into memory of its own. What room had stays
// where it is.
func takeBundle(room *[]byte, all []byte) []byte {
	if room == nil {
		return append([]byte(nil), all...)
	}
	if cap(*room)-len(*room) < len(all) {
		*room = make([]byte, 0, 2*cap(*room)+len(all))
	}
	n := len(*room)
	*room = append(*room, all...)
	return (*room)[n:]
}

var errBundle = fault.New(fault.Internal, "a bundle of rows ends too early")
