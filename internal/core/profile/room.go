package profile

// Room is memory for one profile after another, for who looks at many and keeps hardly
// any: a sweep. Half of what it takes to decode a customer is to find memory for the
// lists, and more to take it back. The zero Room is empty.
type Room struct {
	now    Profile
	p      Profile // the lists of those who were there, the longest of each
	series []Series
	obs    []Obs
}

// Decode is [DecodeParts] into the room. The profile, and whatever shares its lists, as
// what grew from it does, must be out of use when the next one comes: those lists
// are written over. Whom the caller wants to keep is decoded again.
func (m *Room) Decode(hot, rest string) (*Profile, error) {
	if rest == "" || !InParts(hot) {
		return Decode(hot + rest)
	}
	m.now = Profile{Glances: m.p.Glances[:0]} // sections read over what is there
	if err := m.now.readParts(hot, rest, m); err != nil {
		return nil, err
	}
	m.keep(&m.now)
	return &m.now, nil
}

// keep takes the lists of p that are longer than those that are there.
func (m *Room) keep(p *Profile) {
	o := &m.p
	o.Strands, o.Held, o.Traits = larger(o.Strands, p.Strands), larger(o.Held, p.Held), larger(o.Traits, p.Traits)
	o.Consents, o.Health = larger(o.Consents, p.Consents), larger(o.Health, p.Health)
	o.Orders, o.Bought = larger(o.Orders, p.Orders), larger(o.Bought, p.Bought)
	o.Series, o.Segments, o.Seen = larger(o.Series, p.Series), larger(o.Segments, p.Segments), larger(o.Seen, p.Seen)
	o.Past, o.Open, o.Contacts = larger(o.Past, p.Past), larger(o.Open, p.Open), larger(o.Contacts, p.Contacts)
	o.Glances = larger(o.Glances, p.Glances)
}

func larger[T any](a, b []T) []T {
	if cap(b) > cap(a) {
		return b
	}
	return a
}

// empty returns old, or a list like it, with room for n.
func empty[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, 0, n)
	}
	return old[:0]
}

// zeroed returns n zero values, over old if it has room for them.
func zeroed[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n)
	}
	clear(old[:n])
	return old[:n]
}
