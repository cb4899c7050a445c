package product

import (
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// codecVersion is the first byte of an encoded product. Bytes of an older version
// stay readable: a catalogue is read in again, but not on the day of an upgrade.
const codecVersion = 1

// Append appends p in the product's own encoding.
func (p *Product) Append(dst []byte) []byte {
	dst = append(dst, codecVersion)
	for _, s := range [...]string{p.Source, p.ID, p.Title, p.Brand, p.URL, p.Group} {
		dst = wire.Text(dst, s)
	}
	dst = texts(dst, p.Images)
	dst = texts(dst, p.Categories)
	dst = wire.Bool(dst, p.Gone)
	dst = wire.Varint(dst, int64(p.Updated))
	dst = wire.Uvarint(dst, uint64(len(p.Variants)))
	for i := range p.Variants {
		v := &p.Variants[i]
		for _, s := range [...]string{v.ID, v.SKU, v.Title, v.GTIN, v.Item, string(v.Currency), v.Image, v.URL} {
			dst = wire.Text(dst, s)
		}
		dst = wire.Varint(dst, int64(v.Price))
		dst = wire.Bool(dst, v.Sale.On)
		dst = wire.Varint(dst, int64(v.Sale.Price))
		dst = wire.Varint(dst, int64(v.Sale.From))
		dst = wire.Varint(dst, int64(v.Sale.To))
		dst = append(dst, byte(v.State))
		dst = wire.Bool(dst, v.Counted)
		dst = wire.Varint(dst, v.Stock)
		dst = wire.Bool(dst, v.Oversell)
		dst = wire.Uvarint(dst, uint64(len(v.Levels)))
		for _, l := range v.Levels {
			dst = wire.Varint(wire.Varint(wire.Text(dst, l.Place), l.Stock), int64(l.At))
		}
	}
	return dst
}

func texts(dst []byte, list []string) []byte {
	dst = wire.Uvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = wire.Text(dst, s)
	}
	return dst
}

func readTexts(r *wire.Reader) (list []string) {
	n := r.Len(1)
	for range n {
		list = append(list, r.Text())
	}
	return list
}

// leastVariant is how many bytes a variant takes at the least: so many of them can
// at most stand in what is left, whatever a damaged number says.
const (
	leastVariant = 18
	leastLevel   = 3
)

// Decode reads the one product that s holds. Its texts are pieces of s.
func Decode(s string) (p Product, err error) {
	r := wire.NewReader(s)
	if v := r.Byte(); v != codecVersion && r.Err() == nil {
		r.Fail("a product of an unknown version")
	}
	for _, t := range [...]*string{&p.Source, &p.ID, &p.Title, &p.Brand, &p.URL, &p.Group} {
		*t = r.Text()
	}
	p.Images, p.Categories = readTexts(r), readTexts(r)
	p.Gone, p.Updated = r.Bool(), event.Time(r.Varint())
	n := r.Len(leastVariant)
	for range n {
		var v Variant
		currency := ""
		for _, t := range [...]*string{&v.ID, &v.SKU, &v.Title, &v.GTIN, &v.Item, &currency, &v.Image, &v.URL} {
			*t = r.Text()
		}
		v.Currency, v.Price = money.Currency(currency), money.Micros(r.Varint())
		v.Sale.On, v.Sale.Price = r.Bool(), money.Micros(r.Varint())
		v.Sale.From, v.Sale.To = event.Time(r.Varint()), event.Time(r.Varint())
		v.State, v.Counted, v.Stock, v.Oversell = State(r.Byte()), r.Bool(), r.Varint(), r.Bool()
		for range r.Len(leastLevel) {
			v.Levels = append(v.Levels, Level{r.Text(), r.Varint(), event.Time(r.Varint())})
		}
		p.Variants = append(p.Variants, v)
	}
	if r.Err() == nil && r.Rest() != "" {
		return p, fault.New(fault.Corrupt, "stored bytes are damaged: something follows the product")
	}
	return p, r.Err()
}
