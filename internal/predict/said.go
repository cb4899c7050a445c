package predict

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/durable"
	"rapport/internal/fault"
)

// said is what a model told the log last, as fingerprints: of one customer after
// the other, in the order of their ids. It only saves events; who loses the file
// says everything once more.
type said struct {
	names  []string // of predictions, in the order in which they came up
	number map[string]int
	people map[identity.ID][]word
}

// word is one prediction that was told.
type word struct {
	name int // in names
	hash uint64
}

const saidVersion = 1

func newSaid() *said { return &said{number: map[string]int{}, people: map[identity.ID][]word{}} }

// of returns the number of a name.
func (s *said) of(name string) int {
	n, known := s.number[name]
	if !known {
		n = len(s.names)
		s.number[name] = n
		s.names = append(s.names, name)
	}
	return n
}

func (p *Prediction) fingerprint() uint64 {
	return wire.Hash(string([]byte{byte(p.Value.Kind)}), p.Value.Raw, p.Until.String())
}

// readSaid reads the file; what is missing or damaged is nothing said.
func readSaid(path string) (*said, error) {
	s := newSaid()
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return s, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "reading what was predicted last")
	}
	r := wire.NewReader(string(raw))
	if r.Byte() != saidVersion {
		return s, nil
	}
	for range r.Len(1) {
		s.of(r.Text())
	}
	for !r.Done() {
		var id identity.ID
		copy(id[:], r.Bytes(len(id)))
		words := make([]word, r.Len(9))
		for i := range words {
			words[i] = word{int(r.Uvarint()), r.Fixed()}
			if words[i].name >= len(s.names) {
				r.Fail("a prediction without a name")
			}
		}
		if r.Err() == nil {
			s.people[id] = words
		}
	}
	if r.Err() != nil {
		return newSaid(), nil
	}
	return s, nil
}

// write replaces the file at once.
func (s *said) write(path string) error {
	dst := wire.Uvarint([]byte{saidVersion}, uint64(len(s.names)))
	for _, n := range s.names {
		dst = wire.Text(dst, n)
	}
	for _, id := range s.ids() {
		dst = append(dst, id[:]...)
		dst = wire.Uvarint(dst, uint64(len(s.people[id])))
		for _, w := range s.people[id] {
			dst = wire.Fixed(wire.Uvarint(dst, uint64(w.name)), w.hash)
		}
	}
	return replace(path, dst)
}

func (s *said) ids() []identity.ID {
	ids := make([]identity.ID, 0, len(s.people))
	for id := range s.people {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b identity.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// replace makes data the next version of a file, and its folder if there is none.
func replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fault.Wrap(fault.Internal, err, "making the folder of predictions")
	}
	return fault.Wrap(fault.Internal, durable.Write(path, data), "keeping what was predicted")
}
