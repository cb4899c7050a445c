package audience

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"rapport/internal/core/condition"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

const (
	// MinSegments and MaxSegments bound how many segments are laid over each other.
	MinSegments = 2
	MaxSegments = 8
	// membersPage is how many members are read at once.
	membersPage = 10_000
)

// Overlap says how segments lie over each other.
type Overlap struct {
	Segments []Share `json:"segments"`
	Pairs    []Pair  `json:"pairs" doc:"Each two of them."`
	All      int64   `json:"all" doc:"Customers who are in every one."`
	Any      int64   `json:"any" doc:"Customers who are in at least one."`
}

// Share is one segment of an overlap.
type Share struct {
	Name    string `json:"name"`
	Members int64  `json:"members"`
	Only    int64  `json:"only" doc:"Customers who are in none of the others."`
}

// Pair is two segments of an overlap.
type Pair struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Both int64  `json:"both"`
}

// Overlap lays segments in force over each other. Members are read in the order of
// their ids, all segments side by side, and numbered as they come; so a number means
// the same customer in each set, and the sets answer every count.
func (d *Desk) Overlap(ctx context.Context, names []string) (o Overlap, err error) {
	if len(names) < MinSegments || len(names) > MaxSegments {
		return o, fault.New(fault.Invalid, fmt.Sprintf("%d to %d different segments can be laid over each other", MinSegments, MaxSegments))
	}
	sets := make([]*roaring.Bitmap, len(names))
	lists := make([]members, len(names))
	for i, name := range names {
		sets[i] = roaring.New()
		lists[i] = members{d: d, segment: condition.SegmentKey(name)}
		if err := lists[i].fill(ctx); err != nil {
			return o, fmt.Errorf("reading the members of %s: %w", name, err)
		}
	}
	for number := uint32(0); ; number++ {
		var least *identity.ID
		for i := range lists {
			if id := lists[i].head(); id != nil && (least == nil || id.Compare(*least) < 0) {
				least = id
			}
		}
		if least == nil {
			break
		}
		who := *least
		for i := range lists {
			if id := lists[i].head(); id != nil && *id == who {
				sets[i].Add(number)
				if err := lists[i].next(ctx); err != nil {
					return o, fmt.Errorf("reading the members of %s: %w", names[i], err)
				}
			}
		}
	}
	return overlapOf(names, sets), nil
}

// overlapOf counts what the sets share.
func overlapOf(names []string, sets []*roaring.Bitmap) Overlap {
	o := Overlap{Segments: []Share{}, Pairs: []Pair{}, All: int64(roaring.FastAnd(sets...).GetCardinality()), Any: int64(roaring.FastOr(sets...).GetCardinality())}
	for i := range sets {
		only := sets[i].Clone()
		for j := range sets {
			if j != i {
				only.AndNot(sets[j])
			}
			if j > i {
				o.Pairs = append(o.Pairs, Pair{names[i], names[j], int64(sets[i].AndCardinality(sets[j]))})
			}
		}
		o.Segments = append(o.Segments, Share{names[i], int64(sets[i].GetCardinality()), int64(only.GetCardinality())})
	}
	return o
}

// members reads one segment page by page.
type members struct {
	d       *Desk
	segment uint64
	page    []identity.ID
	last    bool
}

func (m *members) head() *identity.ID {
	if len(m.page) == 0 {
		return nil
	}
	return &m.page[0]
}

func (m *members) next(ctx context.Context) error {
	after := m.page[0]
	m.page = m.page[1:]
	if len(m.page) > 0 || m.last {
		return nil
	}
	return m.read(ctx, after)
}

func (m *members) fill(ctx context.Context) error { return m.read(ctx, identity.ID{}) }

func (m *members) read(ctx context.Context, after identity.ID) (err error) {
	m.page, err = m.d.o.Store.Members(ctx, m.segment, after, membersPage)
	m.last = len(m.page) < membersPage
	return err
}
