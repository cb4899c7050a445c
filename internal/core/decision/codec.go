package decision

import (
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// recordVersion is the first byte of an encoded record. Bytes of an older
// version stay readable for as long as the ledger may hold them.
const recordVersion = 1

// Append appends r in the product's own encoding. Equal records give equal
// bytes.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, recordVersion, byte(r.Stage), byte(r.State), byte(r.Class), byte(r.Outcome), byte(r.Rule))
	dst = append(dst, flag(r.Replenish, 1)|flag(r.Withheld, 2)|flag(r.Late, 4)|flag(r.Consent != nil, 8))
	dst = append(dst, r.Delivery[:]...)
	dst = append(dst, r.Person[:]...)
	for _, s := range []string{r.Journey, r.Step, r.Key, r.Template, r.Channel, r.Purpose, r.Why, r.Product, r.Parent, r.Category, string(r.Reason)} {
		dst = wire.Text(dst, s)
	}
	dst = wire.Fixed(dst, r.Version)
	dst = wire.Varint(dst, r.Interval.Milliseconds())
	for _, t := range []event.Time{r.Now, r.Deadline, r.At, r.Planned, r.Expires, r.Until} {
		dst = wire.Varint(dst, int64(t))
	}
	dst = wire.Float(dst, r.Propensity)
	dst = wire.Float(dst, r.Chance)
	if c := r.Consent; c != nil {
		dst = wire.Bool(dst, c.Granted)
		dst = wire.Varint(dst, int64(c.At))
		dst = wire.Text(dst, c.Proof)
		dst = wire.Text(dst, c.Evidence)
		dst = wire.Text(dst, c.Wording)
		dst = wire.Varint(dst, int64(c.Expires))
	}
	dst = wire.Uvarint(dst, uint64(len(r.Checks)))
	for i := range r.Checks {
		c := &r.Checks[i]
		dst = append(dst, byte(c.Rule)<<1|flag(c.Pass, 1))
		dst = wire.Text(dst, c.Name)
		dst = wire.Varint(dst, c.Got)
		dst = wire.Varint(dst, c.Limit)
		dst = wire.Varint(dst, c.Span.Milliseconds())
		dst = wire.Varint(dst, int64(c.At))
		dst = wire.Text(dst, c.Text)
		dst = wire.Text(dst, c.Other)
	}
	dst = wire.Uvarint(dst, uint64(len(r.Against)))
	for i := range r.Against {
		dst = append(dst, r.Against[i][:]...)
	}
	return dst
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// Decode reads the record that s holds. Its texts are pieces of s. Damaged bytes
// give a fault of kind Corrupt.
func Decode(s string) (r Record, err error) {
	in := wire.NewReader(s)
	if in.Byte() != recordVersion && in.Err() == nil {
		in.Fail("a decision record of an unknown version")
	}
	r.Stage, r.State, r.Class = Stage(in.Byte()), profile.State(in.Byte()), profile.Class(in.Byte())
	r.Outcome, r.Rule = Outcome(in.Byte()), Rule(in.Byte())
	flags := in.Byte()
	r.Replenish, r.Withheld, r.Late = flags&1 != 0, flags&2 != 0, flags&4 != 0
	copy(r.Delivery[:], in.Bytes(len(r.Delivery)))
	copy(r.Person[:], in.Bytes(len(r.Person)))
	for _, t := range []*string{&r.Journey, &r.Step, &r.Key, &r.Template, &r.Channel, &r.Purpose, &r.Why, &r.Product, &r.Parent, &r.Category} {
		*t = in.Text()
	}
	r.Reason = Reason(in.Text())
	r.Version = in.Fixed()
	r.Interval = time.Duration(in.Varint()) * time.Millisecond
	for _, t := range []*event.Time{&r.Now, &r.Deadline, &r.At, &r.Planned, &r.Expires, &r.Until} {
		*t = event.Time(in.Varint())
	}
	r.Propensity, r.Chance = in.Float(), in.Float()
	if flags&8 != 0 {
		r.Consent = &Basis{in.Bool(), event.Time(in.Varint()), event.ID(in.Text()), in.Text(), in.Text(), event.Time(in.Varint())}
	}
	if n := in.Len(8); n > 0 {
		r.Checks = make([]Check, 0, n)
		for ; n > 0 && in.Err() == nil; n-- {
			b := in.Byte()
			r.Checks = append(r.Checks, Check{
				Rule: Rule(b >> 1), Pass: b&1 != 0, Name: in.Text(), Got: in.Varint(), Limit: in.Varint(),
				Span: time.Duration(in.Varint()) * time.Millisecond, At: event.Time(in.Varint()), Text: in.Text(), Other: in.Text(),
			})
		}
	}
	if n := in.Len(len(profile.DeliveryID{})); n > 0 {
		r.Against = make([]profile.DeliveryID, n)
		for i := range r.Against {
			copy(r.Against[i][:], in.Bytes(len(r.Against[i])))
		}
	}
	if in.Err() == nil && in.Rest() != "" {
		in.Fail("something follows the decision record")
	}
	if in.Err() != nil {
		return Record{}, in.Err()
	}
	return r, nil
}
