package wire_test

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// part is one thing that is written and read back.
type part struct {
	kind  int
	u     uint64
	i     int64
	s     string
	b     bool
	f     float64
	items []string
}

func draw(t *rapid.T) part {
	return part{
		kind: rapid.IntRange(0, 7).Draw(t, "kind"), u: rapid.Uint64().Draw(t, "u"), i: rapid.Int64().Draw(t, "i"), s: rapid.String().Draw(t, "s"),
		b: rapid.Bool().Draw(t, "b"), f: rapid.Float64().Draw(t, "f"), items: rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "items"),
	}
}

func (p *part) write(dst []byte) []byte {
	switch p.kind {
	case 0:
		return wire.Uvarint(dst, p.u)
	case 1:
		return wire.Varint(dst, p.i)
	case 2:
		return wire.Text(dst, p.s)
	case 3:
		return wire.Bool(dst, p.b)
	case 4:
		return wire.Fixed(dst, p.u)
	case 5:
		return wire.Float(dst, p.f)
	case 6:
		dst = wire.Uvarint(dst, uint64(len(p.items)))
		for _, s := range p.items {
			dst = wire.Text(dst, s)
		}
		return dst
	}
	return append(dst, "four"...)
}

// read reads the part and reports whether it is the one that was written.
func (p *part) read(r *wire.Reader) bool {
	switch p.kind {
	case 0:
		return r.Uvarint() == p.u
	case 1:
		return r.Varint() == p.i
	case 2:
		return r.Text() == p.s
	case 3:
		return r.Bool() == p.b
	case 4:
		return r.Fixed() == p.u
	case 5:
		return math.Float64bits(r.Float()) == math.Float64bits(p.f)
	case 6:
		same := r.Len(1) == len(p.items)
		for _, s := range p.items {
			same = r.Text() == s && same
		}
		return same
	}
	return r.Bytes(4) == "four"
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Custom(draw), 0, 8).Draw(t, "parts")
		var b []byte
		for i := range parts {
			b = parts[i].write(b)
		}
		r := wire.NewReader(string(b))
		for i := range parts {
			if !parts[i].read(r) || r.Err() != nil {
				t.Fatalf("part %d of %+v is not read back: %v", i, parts, r.Err())
			}
		}
		if !r.Done() || r.Rest() != "" {
			t.Fatalf("%q is left", r.Rest())
		}
		if len(b) == 0 {
			return
		}
		// What is cut off says so once, and is nothing from there on.
		r = wire.NewReader(string(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]))
		for i := range parts {
			parts[i].read(r)
		}
		if !fault.Is(r.Err(), fault.Corrupt) || !r.Done() {
			t.Fatalf("cut off bytes are read without a word: %v", r.Err())
		}
		if r.Uvarint() != 0 || r.Varint() != 0 || r.Text() != "" || r.Byte() != 0 || r.Bool() || r.Fixed() != 0 || r.Len(1) != 0 || r.Bytes(2) != "\x00\x00" {
			t.Fatal("a reader that failed gives something")
		}
	})
}

func TestTheFirstDamageIsTheOneThatIsReported(t *testing.T) {
	t.Parallel()
	r := wire.NewReader("\x05ab")
	r.Text()
	first := r.Err()
	r.Fail("something else")
	r.Fixed()
	if r.Err() != first || !strings.Contains(first.Error(), "a text is cut off") {
		t.Errorf("error = %v, want %v", r.Err(), first)
	}
}

func TestACountIsNeverMoreThanCanFollow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bytes string
		size  int
		want  int
		ok    bool
	}{
		{"\x02abcd", 2, 2, true},
		{"\x02abc", 2, 0, false},
		{"\x03abc", 0, 3, true}, // a size of nothing counts as one byte
		{"\x00", 9, 0, true},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1, 0, false},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 1, 0, false}, // no number is so long
	} {
		r := wire.NewReader(c.bytes)
		if got := r.Len(c.size); got != c.want || (r.Err() == nil) != c.ok {
			t.Errorf("%q with things of %d bytes: %d, %v", c.bytes, c.size, got, r.Err())
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05hello", "abcdefgh")
	f.Fuzz(func(t *testing.T, bytes, order string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := wire.NewReader(bytes)
		for _, c := range order {
			left := len(r.Rest())
			switch c % 8 {
			case 0:
				r.Uvarint()
			case 1:
				r.Varint()
			case 2:
				if s := r.Text(); len(s) > left {
					t.Fatalf("a text of %d bytes from %d", len(s), left)
				}
			case 3:
				r.Bool()
			case 4:
				r.Fixed()
			case 5:
				r.Float()
			case 6:
				if n := r.Len(3); n > left/3 {
					t.Fatalf("%d things from %d bytes", n, left)
				}
			case 7:
				r.Bytes(16)
			}
			if len(r.Rest()) > left {
				t.Fatal("there is more to read than before")
			}
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > uint64(64*len(order)+1<<20) {
			t.Fatalf("%d bytes of input cost %d bytes of memory", len(bytes), spent)
		}
	})
}

// Series, segments, fingerprints and coin tosses are stored under these numbers.
// If this test fails, every profile and every experiment is another one.
func TestTheHashNeverChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts []string
		want  uint64
	}{
		{nil, 0xefd01f60ba992926},
		{[]string{""}, 0x1320b74fd7a06286},
		{[]string{"", ""}, 0xa2edc41ece369459},
		{[]string{"a"}, 0x208f4bffe5d41e3c},
		{[]string{"a", "b"}, 0x197547d305f3b29a},
		{[]string{"ab"}, 0x47072a05d72dd4ba},
		{[]string{"series", `did "Order Completed" `}, 0xaa1db19317322a8b},
		{[]string{"holdout:welcome", "\x00\x01\xff"}, 0xa6600581696c3311},
		{[]string{strings.Repeat("x", 300)}, 0xb4e0a8830738792e},
	} {
		if got := wire.Hash(c.parts...); got != c.want {
			t.Errorf("Hash(%.40q) = %#x, want %#x", c.parts, got, c.want)
		}
	}
}

func TestWhereAPartEndsMakesAnotherHash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(1, 20, -1).Draw(t, "s")
		i, j := rapid.IntRange(0, len(s)).Draw(t, "i"), rapid.IntRange(0, len(s)).Draw(t, "j")
		if i != j && wire.Hash(s[:i], s[i:]) == wire.Hash(s[:j], s[j:]) {
			t.Fatalf("%q cut at %d and at %d is the same", s, i, j)
		}
	})
}

func TestTheHashTossesAFairCoin(t *testing.T) {
	t.Parallel()
	const tosses = 100_000
	var counts [16]int
	for i := range tosses {
		counts[wire.Hash("holdout:welcome", string([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))>>60]++
	}
	chi := 0.0
	for _, n := range counts {
		d := float64(n) - tosses/16.0
		chi += d * d / (tosses / 16.0)
	}
	if chi > 37.7 { // fifteen degrees of freedom, one in a thousand
		t.Errorf("sixteen equal shares came out as %v (chi-square %.1f)", counts, chi)
	}
}
