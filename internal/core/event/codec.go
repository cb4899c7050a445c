package event

import (
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// codecVersion is the first byte of an encoded event. Bytes of an older version
// stay readable for as long as a history may hold them.
const codecVersion = 1

// Append appends e in the product's own encoding.
func (e *Event) Append(dst []byte) []byte {
	dst = append(dst, codecVersion, byte(e.Type), byte(e.Origin)<<4|byte(e.Trust), e.Hops)
	dst = wire.Text(dst, e.ID)
	dst = wire.Text(dst, e.Name)
	dst = wire.Text(dst, e.User)
	dst = wire.Text(dst, e.Anon)
	dst = wire.Varint(dst, int64(e.At))
	dst = wire.Varint(dst, int64(e.Raw-e.At))
	dst = wire.Bool(dst, e.Raw != 0)
	dst = wire.Text(dst, e.Source)
	dst = wire.Text(dst, e.Props)
	dst = wire.Text(dst, e.Traits)
	return wire.Text(dst, e.Context)
}

// Read reads one event that [Event.Append] wrote. Its texts are pieces of the
// reader's string.
func Read(r *wire.Reader) (e Event) {
	e.readHead(r)
	e.readBody(r)
	return e
}

// ReadWanted reads one event into e if it is wanted, by its type and name, and passes
// it over otherwise: most of a history is nothing that anybody asks about.
func (e *Event) ReadWanted(r *wire.Reader, wanted func(Type, string) bool) bool {
	e.readHead(r)
	if wanted(e.Type, e.Name) {
		e.readBody(r)
		return true
	}
	r.Text() // who
	r.Text()
	r.Uvarint() // when
	r.Uvarint()
	r.Byte()
	r.Text() // where from
	r.Text() // what
	r.Text()
	r.Text()
	return false
}

// readHead reads what stands before that which may be passed over.
func (e *Event) readHead(r *wire.Reader) {
	if v := r.Byte(); v != codecVersion && r.Err() == nil {
		r.Fail("an event of an unknown version")
	}
	e.Type = Type(r.Byte())
	b := r.Byte()
	e.Origin, e.Trust = Origin(b>>4), Trust(b&15)
	e.Hops = r.Byte()
	e.ID = ID(r.Text())
	e.Name = r.Text()
}

func (e *Event) readBody(r *wire.Reader) {
	e.User = r.Text()
	e.Anon = r.Text()
	e.At = Time(r.Varint())
	e.Raw = e.At + Time(r.Varint())
	if !r.Bool() {
		e.Raw = 0
	}
	e.Source = r.Text()
	e.Props = Object(r.Text())
	e.Traits = Object(r.Text())
	e.Context = Object(r.Text())
}

// Decode reads the one event that s holds.
func Decode(s string) (Event, error) {
	r := wire.NewReader(s)
	e := Read(r)
	if r.Err() == nil && r.Rest() != "" {
		return e, fault.New(fault.Corrupt, "stored bytes are damaged: something follows the event")
	}
	return e, r.Err()
}

// AppendJSON appends e in the shape of a Segment message, with our own `at`,
// `origin` and `source` beside it.
func (e *Event) AppendJSON(dst []byte) []byte {
	field := func(key, text string) {
		if text != "" {
			dst = append(dst, ',')
			dst = AppendQuoted(dst, key)
			dst = append(dst, ':')
			dst = AppendQuoted(dst, text)
		}
	}
	object := func(key string, o Object) {
		if o != "" {
			dst = append(dst, ',')
			dst = AppendQuoted(dst, key)
			dst = append(dst, ':')
			dst = o.AppendJSON(dst)
		}
	}
	dst = append(dst, `{"messageId":`...)
	dst = AppendQuoted(dst, string(e.ID))
	field("type", e.Type.String())
	field("event", e.Name)
	field("userId", e.User)
	field("anonymousId", e.Anon)
	field("at", e.At.String())
	field("timestamp", e.Raw.String())
	field("origin", e.Origin.String())
	field("source", e.Source)
	object("properties", e.Props)
	object("traits", e.Traits)
	object("context", e.Context)
	return append(dst, '}')
}
