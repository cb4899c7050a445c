package profile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Glance is a product that was looked at on a device: the newest look of each
// product on each class.
type Glance struct {
	Item   uint64 // fingerprint of the SKU or product id
	Device string
	At     event.Time
}

// HandOver counts what was looked at on one class of device and bought on another.
type HandOver struct {
	From, To string
	Count    int32 // orders: each counts once
	Last     event.Time
}

// Bounds of what is remembered of devices: a shopper compares a dozen products,
// and there are six classes.
const (
	MaxGlances   = 24
	MaxHandOvers = 16

	// maxLooks is how many looks wait to be put in order: nearly every event of a shop
	// brings some, and each time the list is put in order it is copied.
	maxLooks = 16
)

// HandOverWithin is how long after a look a purchase elsewhere still follows from it.
const HandOverWithin = 7 * 24 * time.Hour

// item is how a product is remembered in a [Glance].
func item(sku string) uint64 { return wire.Hash("item", sku) }

// looked are the events that say that somebody looks at a product.
func looked(name string) bool { return name == event.ProductViewed || name == event.ProductAdded }

// Glimpse notes the product that an event looks at, and on what device.
func (p *Profile) Glimpse(e *event.Event) {
	if !looked(e.Name) || e.Trust == event.Own {
		return
	}
	device := event.DeviceOf(e)
	if device == "" || device == event.Bot || len(device) > 32 {
		return
	}
	var looks [3]Glance
	n := 0
	before := ""
	for _, key := range [...]string{"sku", "product_id", "variant_id"} {
		if sku := e.Props.Text(key); sku != "" && sku != before { // many shops have one number for both
			looks[n] = Glance{item(sku), device, e.At}
			n++
			before = sku
		}
	}
	p.glimpse(looks[:n])
}

// Looked returns the glances with all looks put in their places, by item, then device.
// The caller must not change them.
func (p *Profile) Looked() []Glance {
	if len(p.Looks) == 0 {
		return p.Glances
	}
	return p.looked(make([]Glance, 0, min(len(p.Glances)+len(p.Looks), MaxGlances+1)))
}

// looked appends what Looked returns to list, which is empty. Looks come behind the
// glances first, and take their places at the end.
func (p *Profile) looked(list []Glance) []Glance {
	list = append(list, p.Glances...)
	ordered := len(list)
	for i := range p.Looks {
		g := &p.Looks[i]
		if at := findGlance(list, g); at >= 0 {
			list[at].At = max(list[at].At, g.At)
			continue
		}
		list = append(list, *g)
		if len(list) > MaxGlances {
			oldest := 0
			for j := range list {
				if o := &list[oldest]; list[j].At < o.At || list[j].At == o.At && lessGlance(&list[j], o) {
					oldest = j
				}
			}
			if list = slices.Delete(list, oldest, oldest+1); oldest < ordered {
				ordered--
			}
		}
	}
	for i := max(ordered, 1); i < len(list); i++ {
		g, j := list[i], i
		for ; j > 0 && lessGlance(&g, &list[j-1]); j-- {
			list[j] = list[j-1]
		}
		list[j] = g
	}
	return list
}

func findGlance(list []Glance, g *Glance) int {
	for i := range list {
		if list[i].Item == g.Item && list[i].Device == g.Device {
			return i
		}
	}
	return -1
}

func lessGlance(a, b *Glance) bool {
	return a.Item < b.Item || a.Item == b.Item && a.Device < b.Device
}

// glimpse notes looks, whose devices may be texts of the record.
func (p *Profile) glimpse(looks []Glance) {
	for _, g := range looks {
		switch len(p.Looks) {
		case 0:
			p.Looks = make([]Glance, 0, maxLooks/4)
		case maxLooks:
			p.Glances, p.Looks = p.Looked(), make([]Glance, 0, maxLooks) // who looks so much goes on to
		}
		g.Device = p.deviceOf(g.Device)
		p.Looks = append(p.Looks, g)
	}
}

// deviceOf returns the class of a device in a text that is not the record's: one that
// stands in the profile, or a copy.
func (p *Profile) deviceOf(device string) string {
	if p.Device == device {
		return p.Device
	}
	for _, list := range [...][]Glance{p.Looks, p.Glances} {
		for i := range list {
			if list[i].Device == device {
				return list[i].Device
			}
		}
	}
	return strings.Clone(device)
}

// HandsOver counts the order, which must be new, if something in it was looked at
// last on another class of device, at most [HandOverWithin] before. It returns the
// look and the SKU; ok is false if there was none. An order counts once, by the
// latest such look.
func (p *Profile) HandsOver(e *event.Event, o *event.Order) (seen Glance, to, sku string, ok bool) {
	if e.Name != event.OrderCompleted || len(p.Glances)+len(p.Looks) == 0 {
		return seen, "", "", false
	}
	if to = event.DeviceOf(e); event.Tills(e) {
		to = event.TillDevice
	}
	if to == "" || to == event.Bot || len(to) > 32 {
		return seen, "", "", false
	}
	looks := p.Looked()
	for i := range o.Lines {
		l := &o.Lines[i]
		look, there := lastLook(looks, l, e.At)
		if there && look.Device != to && (!ok || look.At > seen.At) {
			seen, sku, ok = look, l.SKU, true
		}
	}
	if !ok {
		return seen, "", "", false
	}
	i, found := slices.BinarySearchFunc(p.HandOvers, HandOver{From: seen.Device, To: to}, func(a, b HandOver) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	switch {
	case found:
		p.HandOvers = slices.Clone(p.HandOvers)
		h := &p.HandOvers[i]
		h.Count, h.Last = h.Count+1, max(h.Last, e.At)
	case len(p.HandOvers) < MaxHandOvers:
		p.HandOvers = slices.Insert(slices.Clip(p.HandOvers), i, HandOver{strings.Clone(seen.Device), strings.Clone(to), 1, e.At})
	}
	return seen, to, sku, true
}

// lastLook returns the newest look at what a line is of, before the instant: where
// a look at the same device is newer, nothing was handed over.
func lastLook(looks []Glance, l *event.Line, at event.Time) (look Glance, ok bool) {
	sku, product := item(l.SKU), item(l.Product)
	for i := range looks {
		g := &looks[i]
		if g.At > at || at.Sub(g.At) > HandOverWithin || g.Item != sku && (l.Product == "" || g.Item != product) {
			continue
		}
		if !ok || g.At > look.At {
			look, ok = *g, true
		}
	}
	return look, ok
}

// joinDevices takes in what a strand did on which device.
func (p *Profile) joinDevices(s *Profile) {
	p.glimpse(s.Looked())
	for _, h := range s.HandOvers {
		i, found := slices.BinarySearchFunc(p.HandOvers, h, func(a, b HandOver) int {
			return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
		})
		if found {
			p.HandOvers = slices.Clone(p.HandOvers)
			p.HandOvers[i].Count += h.Count
			p.HandOvers[i].Last = max(p.HandOvers[i].Last, h.Last)
		} else if len(p.HandOvers) < MaxHandOvers {
			p.HandOvers = slices.Insert(slices.Clip(p.HandOvers), i, h)
		}
	}
}

func (p *Profile) deviceless() bool { return len(p.Glances)+len(p.Looks)+len(p.HandOvers) == 0 }

func (p *Profile) appendDevices(dst []byte) []byte {
	var few [MaxGlances + 1]Glance
	looks := p.Glances
	if len(p.Looks) > 0 {
		looks = p.looked(few[:0])
	}
	dst = wire.Uvarint(dst, uint64(len(looks)))
	for i := range looks {
		g := &looks[i]
		dst = wire.Fixed(dst, g.Item)
		dst = wire.Text(dst, g.Device)
		dst = wire.Varint(dst, int64(g.At))
	}
	dst = wire.Uvarint(dst, uint64(len(p.HandOvers)))
	for i := range p.HandOvers {
		h := &p.HandOvers[i]
		dst = wire.Text(dst, h.From)
		dst = wire.Text(dst, h.To)
		dst = wire.Varint(dst, int64(h.Count))
		dst = wire.Varint(dst, int64(h.Last))
	}
	return dst
}

func (p *Profile) readDevices(r *wire.Reader) {
	p.Glances = readInto(p.Glances, r, 10, func(r *wire.Reader) Glance { return Glance{r.Fixed(), r.Text(), event.Time(r.Varint())} })
	p.HandOvers = read(r, 4, func(r *wire.Reader) HandOver {
		return HandOver{r.Text(), r.Text(), int32(r.Varint()), event.Time(r.Varint())}
	})
}
