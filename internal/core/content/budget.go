package content

import (
	"fmt"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Limits bound one rendering. A zero field means its default.
type Limits struct {
	// Steps is how many nodes, loop rounds and filters may run. Default: 100,000:
	// a page of a hundred products takes some 5,000.
	Steps int

	// Made is how many bytes of strings and lists may be made on the way to the
	// output, all parts together. Default: 4 MB.
	Made int

	// Output is how long each part may become, in bytes. Default: 1 MB, ten times
	// what large mailbox providers show.
	Output int
}

// Env is what a rendering may know beside its variables.
type Env struct {
	Limits

	// Now is what the word "now" means to the filter date. Default: unknown, and
	// "now" is an error.
	Now event.Time

	// Zone is where dates are told. Default: UTC.
	Zone *time.Location

	// Customs are how sums and dates are written. Default: as programs write them.
	Customs *Customs

	// Shared are variables that blocks see too, without being handed them.
	// Default: none.
	Shared Vars

	// Words returns the sentence that the filter t writes for a key, in the language
	// of the reader, and whether there is one. Default: nil, there are none.
	Words func(key string, count int64, counted bool) (string, bool)

	// Product returns what is known of a product for the filter product, as one of
	// the values of [Vars]; nil if nothing is. Default: nil, nothing is known.
	Product func(sku string) any

	// Recommend returns at most n products of a list for the filter recommend, each as
	// one of the values of [Vars]. Default: nil, and every list is empty.
	Recommend func(list string, n int) []any

	// Scratch is memory that renderings may use one after the other. Default: nil,
	// and each makes its own.
	Scratch *Scratch

	// Code returns the address of the picture of a code that says the text, for the
	// filters ean13, code128 and qr; the level is of the last and may be empty.
	// Default: nil, and the filters are an error.
	Code func(kind, text, level string) (string, error)

	// Expired is asked now and then; when it says true the rendering ends with an
	// error. It lets the caller set a deadline by a clock, which the core does not
	// have. Default: nil, never.
	Expired func() bool
}

// Scratch is memory that is used again. Its zero value is ready; it serves one
// rendering at a time.
type Scratch struct {
	out    []byte
	args   []any
	own    []scope
	fields []event.Field
	opened []opened
	listed []event.Value
	shared []any
	hints  []uint8
	run    run
}

const (
	defaultSteps  = 100_000
	defaultMade   = 4 << 20
	defaultOutput = 1 << 20

	// expiredEvery is how many steps pass between two looks at Env.Expired: some
	// 20 µs.
	expiredEvery = 256

	// perItem is what an item of a list that is made costs of Limits.Made.
	perItem = 16

	// maxItems is how many items of a list a loop or filter looks at: what was
	// passed in is bounded too.
	maxItems = 10_000
)

// run is one rendering. Once err is set nothing more happens.
type run struct {
	env   Env
	vars  Vars
	lax   bool // undefined variables are empty, as in Shopify: for the golden suite
	steps uint
	made  int
	room  int // bytes left of this part's output
	out   []byte
	err   error

	part *part
	pos  int // where in the source the node stands that is running
	jump jump
	args []any   // of the filters that are running, the innermost last
	own  []scope // what the blocks around were handed, the innermost last

	lastRaw string // the encoding of last
	last    any
	listed  []event.Value // the items of the lists that loops are going over, the innermost last

	shared []any   // what paths are that begin in Env.Shared, by their number; nil: not known yet
	hints  []uint8 // where in its object the field of a path stood, by its number

	opened []opened      // the objects that were asked for fields, in the order of asking
	at     int           // the one that was asked last
	fields []event.Field // theirs, one object's after the other's

	coined string // as coin was written
	coin   money.Currency
	frame

	preview bool
	gaps    []Gap
}

// frame is what is known in one scope: a template's, or that of a block.
type frame struct {
	alone    bool    // in a block: of what was passed in only [Env.Shared] is known
	assigned []scope // by the template; in a block also what was handed to it
	scopes   []scope // variables of loops, the innermost last
	rare     *rare   // nil in most scopes
}

// rare is what few templates do, apart so that a scope is small: each product of a
// message has one.
type rare struct {
	counters map[string]int64
	cycles   map[string]int
	resume   map[string]int // where loops ended, for offset: continue
	changed  string
}

// rarely returns what is known of the rare in this scope, to be changed.
func (f *frame) rarely() *rare {
	if f.rare == nil {
		f.rare = &rare{counters: map[string]int64{}, cycles: map[string]int{}, resume: map[string]int{}}
	}
	return f.rare
}

// scope is one variable.
type scope struct {
	name  string
	value any

	// object is the value if bare is set: what a loop over products goes through, which
	// as a value would have to be allocated for each.
	object event.Object
	bare   bool
}

// of returns the variable's value.
func (s *scope) of() any {
	if s.bare {
		return s.object
	}
	return s.value
}

// jump is how a loop's body ended.
type jump uint8

const (
	onward jump = iota
	breaking
	continuing
)

// fail ends the rendering with an error that says where.
func (r *run) fail(kind fault.Kind, format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(kind, r.part.at(r.pos)+": "+fmt.Sprintf(format, args...))
	}
}

// step pays for n steps and reports whether to go on. Between two looks at
// Env.Expired there is nothing to it but counting.
func (r *run) step(n int) bool {
	if r.err != nil || uint(n) > r.steps%expiredEvery {
		return r.bigStep(n)
	}
	r.steps -= uint(n)
	return true
}

// tick is step of one where r.err is nil.
func (r *run) tick() bool {
	if r.steps%expiredEvery == 0 {
		return r.bigStep(1)
	}
	r.steps--
	return true
}

// bigStep is step at the end of the budget, after an error, and where Env.Expired is
// to be asked.
func (r *run) bigStep(n int) bool {
	if r.err != nil {
		return false
	}
	if n < 0 || uint(n) > r.steps {
		r.steps = 0
		r.fail(fault.TooLarge, "the template takes too many steps")
		return false
	}
	before := r.steps / expiredEvery
	r.steps -= uint(n)
	if r.env.Expired != nil && r.steps/expiredEvery != before && r.env.Expired() {
		r.fail(fault.TooLarge, "the template takes too long")
		return false
	}
	return true
}

// make pays for n bytes before they are made and reports whether they may be.
// Looking at bytes costs time as well, so each filter pays for its input.
func (r *run) make(n int) bool {
	if r.err != nil {
		return false
	}
	if n < 0 || n > r.made {
		r.made = 0
		r.fail(fault.TooLarge, "the template makes texts that are too long")
		return false
	}
	r.made -= n
	return true
}

// write appends to the output.
func (r *run) write(s string) {
	if r.err != nil {
		return
	}
	if len(s) > r.room {
		r.fail(fault.TooLarge, "the message becomes too long")
		return
	}
	r.room -= len(s)
	r.out = append(r.out, s...)
}
