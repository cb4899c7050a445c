// Package identity recognises a person by what identifies them.
//
// Every [Identifier] has a home: the profile id that arithmetic alone gives it,
// [Key.Home]. Two edges agree on it without talking, so an event goes straight
// to the home of its strongest identifier. The home either is the person's
// profile or knows who owns the identifier and forwards.
package identity

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// ID names a profile: the first half of HMAC-SHA256(workspace key, kind, value)
// of the identifier that it was born with.
type ID [16]byte

// String returns the id in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns the id in hex.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads an id in hex.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	*id = v
	return err
}

// Zero reports whether id names nobody.
func (id ID) Zero() bool { return id == ID{} }

// Erased is the owner of every home whose person asked to be forgotten. No
// identifier has it for a home: that is as likely as guessing the workspace's key.
var Erased = ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// Compare orders ids by their bytes.
func (id ID) Compare(other ID) int { return slices.Compare(id[:], other[:]) }

// ParseID reads an id in hex.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return ID{}, fault.New(fault.Invalid, "a customer id is 32 hex digits")
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fault.New(fault.Invalid, "a customer id is 32 hex digits")
	}
	return id, nil
}

// Partitions is how many virtual partitions profile ids fall into. A lane owns a
// contiguous range of them.
const Partitions = 4096

// Partition returns the partition of id, from 0 to Partitions − 1.
func (id ID) Partition() int { return int(binary.BigEndian.Uint16(id[:2]) >> 4) }

// Lane returns which of n lanes owns the partition of id.
func (id ID) Lane(n int) int { return id.Partition() * n / Partitions }

// Kind is a kind of identifier.
type Kind string

// The kinds that the product itself knows. A shop may send others in
// context.externalIds.
const (
	User      Kind = "user"      // the shop's own customer id
	Loyalty   Kind = "loyalty"   // a loyalty card
	Email     Kind = "email"     // an address, lower case
	Phone     Kind = "phone"     // E.164
	Anonymous Kind = "anonymous" // a browser or device
)

// strength orders kinds: an event goes to the home of its strongest identifier,
// and the weakest is dropped first when a limit would break.
func (k Kind) strength() int {
	switch k {
	case User:
		return 5
	case Loyalty:
		return 4
	case Email:
		return 3
	case Phone:
		return 2
	case Anonymous:
		return 0
	}
	return 1
}

// Limit is how many identifiers of one kind a profile may hold, counted over a
// rolling period; zero Within is for ever.
type Limit struct {
	Most   int
	Within time.Duration
}

const (
	week = 7 * 24 * time.Hour
	year = 365 * 24 * time.Hour
)

// Limit returns the limit of a kind. A kind of the shop's own may have 5 for ever.
func (k Kind) Limit() Limit {
	switch k {
	case User:
		return Limit{1, 0}
	case Anonymous:
		return Limit{5, week}
	case Email, Phone, Loyalty:
		return Limit{5, year}
	}
	return Limit{5, 0}
}

// Identifier is one thing by which a person is recognised.
type Identifier struct {
	Kind  Kind
	Value string
}

// String returns "kind:value".
func (i Identifier) String() string { return string(i.Kind) + ":" + i.Value }

// Compare orders identifiers from strong to weak, then by kind and value.
func (i Identifier) Compare(j Identifier) int {
	return cmp.Or(cmp.Compare(j.Kind.strength(), i.Kind.strength()), strings.Compare(string(i.Kind), string(j.Kind)), strings.Compare(i.Value, j.Value))
}

// Key is the workspace's secret from which profile ids are made.
type Key [32]byte

// Home returns the profile id at which everything about the identifier arrives.
//
// The HMAC is written out because the standard one allocates its state anew for
// each key and this is asked for each event: RFC 2104 with a key of 32 bytes.
func (k Key) Home(i Identifier) ID {
	const block = sha256.BlockSize
	var few [512]byte
	b := few[:block]
	for n := range block {
		b[n] = 0x36
	}
	for n := range k {
		b[n] ^= k[n]
	}
	b = append(b, i.Kind...)
	b = append(b, 0)
	b = append(b, i.Value...)
	inner := sha256.Sum256(b)
	var outer [block + sha256.Size]byte
	for n := range block {
		outer[n] = 0x5c
	}
	for n := range k {
		outer[n] ^= k[n]
	}
	copy(outer[block:], inner[:])
	sum := sha256.Sum256(outer[:])
	return ID(sum[:16])
}

// MaxValue is the longest identifier that is taken, in bytes.
const MaxValue = 256

// blocked are values that broken clients send for "nobody". One profile of
// thousands of strangers is worse than a dropped identifier.
var blocked = map[string]bool{
	"": true, "null": true, "nil": true, "none": true, "undefined": true, "unknown": true, "anonymous": true, "guest": true,
	"nan": true, "n/a": true, "na": true, "0": true, "-1": true, "true": true, "false": true, "test": true, "id": true, "user": true,
	"userid": true, "user_id": true, "[object object]": true, "(null)": true, "void": true, "default": true,
}

// Blocked reports whether value stands for nobody: a word for nothing, or only
// zeros and dashes.
func Blocked(value string) bool {
	v := strings.ToLower(strings.TrimSpace(value))
	return blocked[v] || strings.Trim(v, "0-") == "" || len(value) > MaxValue
}

// Normal returns the identifier in the one way in which it is compared, and
// false if it identifies nobody.
func Normal(kind Kind, value string) (Identifier, bool) {
	value = strings.TrimSpace(value)
	if Blocked(value) {
		return Identifier{}, false
	}
	switch kind {
	case Email:
		value = strings.ToLower(value)
		if at := strings.LastIndexByte(value, '@'); at <= 0 || at == len(value)-1 || strings.ContainsAny(value, " \t\r\n<>,;") {
			return Identifier{}, false
		}
	case Phone:
		var b []byte
		for i := 0; i < len(value); i++ {
			switch c := value[i]; {
			case c >= '0' && c <= '9', c == '+' && i == 0:
				b = append(b, c)
			case strings.IndexByte(" -().", c) < 0:
				return Identifier{}, false
			}
		}
		if len(b) < 7 || len(b) > 16 || b[0] != '+' {
			return Identifier{}, false
		}
		value = string(b)
	}
	return Identifier{kind, value}, len(value) <= MaxValue // small letters may be longer than capitals
}

// maxKind bounds the name of a kind of the shop's own.
const maxKind = 32

// ordinary reports whether a shop may call a kind so. A control character, and
// above all the NUL that parts kind from value where a home is named, could make
// one kind look like another.
func ordinary(kind string) bool {
	for i := 0; i < len(kind); i++ {
		if kind[i] < ' ' || kind[i] == 0x7f {
			return false
		}
	}
	return len(kind) <= maxKind
}

// maxIdentifiers bounds the identifiers taken from one event.
const maxIdentifiers = 8

// Of returns the identifiers of an event from strong to weak, without those that
// stand for nobody. Besides userId and anonymousId these are the traits email
// and phone, and context.externalIds of kinds user_id, email, phone, loyalty_id or a kind of the shop's own.
func Of(e *event.Event) []Identifier { return AppendOf(nil, e) }

// AppendOf appends what [Of] returns to ids, which is empty: most events name two or
// three, and who asks with each event has room for them.
func AppendOf(ids []Identifier, e *event.Event) []Identifier {
	add := func(kind Kind, value string) {
		if id, ok := Normal(kind, value); ok && len(ids) < maxIdentifiers && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	add(User, e.User)
	if e.Traits != "" && e.Type != event.Group { // a group's traits are the company's
		add(Email, e.Traits.Text("email"))
		add(Phone, e.Traits.Text("phone"))
		add(Loyalty, e.Traits.Text("loyalty_id"))
	}
	if e.Type == event.Track && e.Trust != event.Public && e.Props != "" {
		// A till knows its customer only by what stands on the receipt.
		add(Email, e.Props.Text("email"))
		add(Phone, e.Props.Text("phone"))
		add(Loyalty, e.Props.Text("loyalty_id"))
	}
	if e.Context != "" {
		if v, ok := e.Context.Get("externalIds"); ok {
			v.Items(func(item event.Value) bool {
				o := item.Object()
				kind, value := o.Text("type"), o.Text("id")
				switch kind {
				case "", "system":
				case "user_id":
					add(User, value)
				case "loyalty_id":
					add(Loyalty, value)
				case "anonymous_id":
					add(Anonymous, value)
				default:
					if ordinary(kind) {
						add(Kind(kind), value)
					}
				}
				return true
			})
		}
	}
	add(Anonymous, e.Anon)
	if len(ids) > 1 {
		slices.SortStableFunc(ids, Identifier.Compare)
	}
	return ids
}

// Rank orders profiles that meet: the greater one keeps, the lesser one joins.
// It is a total order, so pointers go only upwards and no cycle can arise.
type Rank struct {
	Known bool       // has a user id
	Born  event.Time // the older wins
	ID    ID
}

// Outranks reports whether r keeps when it meets q.
func (r Rank) Outranks(q Rank) bool {
	if r.Known != q.Known {
		return r.Known
	}
	if r.Born != q.Born {
		return r.Born < q.Born
	}
	return r.ID.Compare(q.ID) < 0
}

// MaxHops is how often an event may be forwarded; more is a cycle that must not
// exist, and the event is quarantined.
const MaxHops = 8
