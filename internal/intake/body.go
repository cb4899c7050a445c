package intake

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"rapport/internal/fault"
)

// gate bounds how many bytes of bodies are in memory at once. Nobody waits at
// it: who does not get in is told to come again, which costs less than holding
// the connection and its half of a body.
type gate struct {
	limit int64
	held  atomic.Int64
}

func (g *gate) take(n int) bool {
	if g.held.Add(int64(n)) <= g.limit {
		return true
	}
	g.held.Add(-int64(n))
	return false
}

func (g *gate) give(n int) { g.held.Add(-int64(n)) }

// errBusy says that the gate is shut.
var errBusy = fault.New(fault.Unavailable, "too many requests at once; send this one again")

// buffer holds one body. Its capacity is what it holds of the gate.
type buffer struct {
	b    []byte
	gate *gate
}

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, minBuffer)} }}

// newBuffer returns an empty buffer; release gives it back.
func newBuffer(g *gate) (*buffer, error) {
	f := buffers.Get().(*buffer)
	if !g.take(cap(f.b)) {
		buffers.Put(f)
		return nil, errBusy
	}
	f.b, f.gate = f.b[:0], g
	return f, nil
}

func (f *buffer) release() {
	f.gate.give(cap(f.b))
	f.gate = nil
	if cap(f.b) <= maxPooled {
		buffers.Put(f)
	}
}

// fill reads r to its end. More than limit bytes is TooLarge. It grows with what
// has really arrived, so a sender cannot reserve memory by announcing much.
func (f *buffer) fill(r io.Reader, limit int) error {
	for {
		if len(f.b) == cap(f.b) {
			more := cap(f.b)
			if !f.gate.take(more) {
				return errBusy
			}
			grown := make([]byte, len(f.b), 2*cap(f.b))
			copy(grown, f.b)
			f.b = grown
		}
		n, err := r.Read(f.b[len(f.b):cap(f.b)])
		f.b = f.b[:len(f.b)+n]
		switch {
		case len(f.b) > limit:
			return tooLarge(limit)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func tooLarge(limit int) error {
	return fault.New(fault.TooLarge, "the body is larger than "+strconv.Itoa(limit>>10)+" kB; send fewer messages in one request")
}

var unzippers sync.Pool

// magic is how every gzip stream begins, and no JSON does.
var magic = []byte{0x1f, 0x8b}

// readBody returns the request's body, unzipped. Whether it is zipped is read
// off its first bytes: RudderStack's SDK sends gzip without saying so, and some
// proxies unzip and leave the header standing. limit is of the body as sent.
func readBody(w http.ResponseWriter, r *http.Request, g *gate, limit int) (*buffer, error) {
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity", "gzip", "x-gzip":
	default:
		return nil, fault.New(fault.Invalid, "Content-Encoding: only gzip is understood")
	}
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	f, err := newBuffer(g)
	if err != nil {
		return nil, err
	}
	// MaxBytesReader also closes the connection, so that the rest of a body that
	// is too large is not read only to be dropped.
	if err := f.fill(http.MaxBytesReader(w, r.Body, int64(limit)), limit); err != nil {
		f.release()
		return nil, readError(err, limit)
	}
	if !bytes.HasPrefix(f.b, magic) {
		return f, nil
	}
	defer f.release()
	return unzip(f.b, g)
}

func unzip(zipped []byte, g *gate) (*buffer, error) {
	z, _ := unzippers.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer unzippers.Put(z)
	if err := z.Reset(bytes.NewReader(zipped)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body begins like gzip and is none")
	}
	f, err := newBuffer(g)
	if err != nil {
		return nil, err
	}
	if err := f.fill(z, MaxUnzipped); err != nil {
		f.release()
		if kind, _ := fault.Of(err); kind != fault.Internal {
			return nil, err
		}
		return nil, fault.Wrap(fault.Invalid, err, "the body cannot be unzipped: it is damaged")
	}
	return f, nil
}

// readError says why a body did not arrive.
func readError(err error, limit int) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if kind, _ := fault.Of(err); kind != fault.Internal {
		return err
	}
	return &refusal{status: http.StatusRequestTimeout, answer: answer{Error: "the body did not arrive in full; send it again"}, cause: err}
}
