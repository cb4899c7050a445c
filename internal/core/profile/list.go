package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Listing is the last word on the customer's place on one list that is kept by
// hand. Who left stays noted, so that a word that comes late does not put them back.
type Listing struct {
	List string
	In   bool
	At   event.Time // when it was said
	By   uint64     // fingerprint of the event, which settles equal instants
}

// MaxLists bounds the lists of one profile. A shop keeps a few dozen; when there
// are more, those that the customer left longest ago go first, and if there are none
// the new one is refused.
const MaxLists = 200

// OnList reports whether the customer is on the list, and since when the word on it
// stands; zero if nothing was ever said.
func (p *Profile) OnList(name string) (bool, event.Time) {
	i, ok := slices.BinarySearchFunc(p.Lists, name, byList)
	if !ok {
		return false, 0
	}
	return p.Lists[i].In, p.Lists[i].At
}

func byList(l Listing, name string) int { return strings.Compare(l.List, name) }

// foldList notes that the customer joined or left a list.
func (p *Profile) foldList(e *event.Event, f *Folded) {
	name := e.Props.Text("list")
	if name == "" || len(name) > maxName {
		return
	}
	if e.Trust == event.Public {
		f.Refused = append(f.Refused, "list")
		return
	}
	if p.listed(Listing{strings.Clone(name), e.Name == event.ListJoined, e.At, Fingerprint(e.ID)}, true) {
		f.Kept = append(f.Kept, OfList(name))
	}
}

// listed takes the word if it is newer than what stands. Of two at one instant the one
// heard later stands; when strands join, nobody knows which that was.
func (p *Profile) listed(l Listing, heard bool) bool {
	i, found := slices.BinarySearchFunc(p.Lists, l.List, byList)
	if found {
		if old := &p.Lists[i]; old.At > l.At || old.At == l.At && !heard && old.By >= l.By {
			return false
		}
		p.Lists = slices.Clone(p.Lists)
		p.Lists[i] = l
		return true
	}
	lists := slices.Insert(slices.Clip(p.Lists), i, l)
	if len(lists) > MaxLists {
		oldest := -1
		for j := range lists {
			if !lists[j].In && (oldest < 0 || cmp.Or(cmp.Compare(lists[j].At, lists[oldest].At), cmp.Compare(lists[j].By, lists[oldest].By)) < 0) {
				oldest = j
			}
		}
		if oldest < 0 {
			return false
		}
		lists = slices.Delete(lists, oldest, oldest+1)
	}
	p.Lists = lists
	return true
}

// OfList is the name under which [Folded] and conditions speak of a list.
func OfList(name string) string { return "list " + name }

func (p *Profile) appendLists(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Lists)))
	for i := range p.Lists {
		l := &p.Lists[i]
		dst = wire.Text(dst, l.List)
		dst = wire.Bool(dst, l.In)
		dst = wire.Varint(dst, int64(l.At))
		dst = wire.Fixed(dst, l.By)
	}
	return dst
}

func (p *Profile) readLists(r *wire.Reader) {
	p.Lists = read(r, 11, func(r *wire.Reader) Listing { return Listing{r.Text(), r.Bool(), event.Time(r.Varint()), r.Fixed()} })
}
