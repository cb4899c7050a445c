package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Object is one thing that belongs to the customer beside orders: a subscription, a
// pet, a booking. Its event brings it whole, so the newest word stands, in whatever
// order they come.
type Object struct {
	Type  string
	ID    string
	Props event.Object // empty if it is gone
	Gone  bool         // taken away: kept so that a word that comes late does not bring it back
	At    event.Time   // when it was said
	By    uint64       // fingerprint of the event, which settles equal instants
}

// MaxObjects bounds the objects of one profile, and MaxObject the bytes of one:
// they are part of the hot row. When there are more, those that are gone, then those
// heard of longest ago, make room.
const (
	MaxObjects = 100
	MaxObject  = 4 << 10
)

func byObject(o, other Object) int {
	return cmp.Or(strings.Compare(o.Type, other.Type), strings.Compare(o.ID, other.ID))
}

// ObjectsOf returns the objects of a type in order of their ids, those that are gone
// included. The caller must not change them.
func (p *Profile) ObjectsOf(kind string) []Object {
	from, _ := slices.BinarySearchFunc(p.Objects, Object{Type: kind}, byObject)
	to := from
	for to < len(p.Objects) && p.Objects[to].Type == kind {
		to++
	}
	return p.Objects[from:to]
}

// foldObject takes an object in, or notes that it is gone.
func (p *Profile) foldObject(e *event.Event, f *Folded) {
	kind, id := e.Props.Text("type"), e.Props.Text("id")
	props, _ := e.Props.Get("properties")
	body := props.Object()
	if kind == "" || id == "" || len(kind) > maxName || len(id) > maxName || len(body) > MaxObject {
		return
	}
	if e.Trust == event.Public {
		f.Refused = append(f.Refused, "object")
		return
	}
	o := Object{Type: strings.Clone(kind), ID: strings.Clone(id), Gone: e.Name == event.ObjectRemoved, At: e.At, By: Fingerprint(e.ID)}
	if !o.Gone {
		o.Props = event.Object(strings.Clone(string(body)))
	}
	if p.own(o, true) {
		f.Kept = append(f.Kept, OfObject(kind))
	}
}

// own takes the object in if the word is newer than what stands. Of two at one instant
// the one heard later stands; when strands join, nobody knows which that was.
func (p *Profile) own(o Object, heard bool) bool {
	i, found := slices.BinarySearchFunc(p.Objects, o, byObject)
	if found {
		if old := &p.Objects[i]; old.At > o.At || old.At == o.At && !heard && old.By >= o.By {
			return false
		}
		p.Objects = slices.Clone(p.Objects)
		p.Objects[i] = o
		return true
	}
	p.Objects = slices.Insert(slices.Clip(p.Objects), i, o)
	if len(p.Objects) > MaxObjects {
		least := 0
		for j := range p.Objects {
			if rankObject(&p.Objects[j], &p.Objects[least]) < 0 {
				least = j
			}
		}
		p.Objects = slices.Delete(p.Objects, least, least+1)
	}
	return true
}

// rankObject orders objects by which goes first when there are too many.
func rankObject(a, b *Object) int {
	if a.Gone != b.Gone {
		if a.Gone {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.By, b.By))
}

// OfObject is the name under which [Folded] and conditions speak of a type.
func OfObject(kind string) string { return "object " + kind }

func (p *Profile) appendObjects(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Objects)))
	for i := range p.Objects {
		o := &p.Objects[i]
		dst = wire.Text(dst, o.Type)
		dst = wire.Text(dst, o.ID)
		dst = wire.Text(dst, o.Props)
		dst = wire.Bool(dst, o.Gone)
		dst = wire.Varint(dst, int64(o.At))
		dst = wire.Fixed(dst, o.By)
	}
	return dst
}

func (p *Profile) readObjects(r *wire.Reader) {
	p.Objects = read(r, 13, func(r *wire.Reader) Object {
		return Object{r.Text(), r.Text(), event.Object(r.Text()), r.Bool(), event.Time(r.Varint()), r.Fixed()}
	})
}
