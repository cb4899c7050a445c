package event

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Object is a JSON object in the product's own encoding: parsed once where it
// enters, then looked into without decoding and without allocating. It is
// immutable, comparable, and safe to keep: a piece of an Object shares its
// bytes. The empty string is the empty object.
//
// The encoding is a run of fields; a field is the key (length, bytes) and a
// value; a value is a tag byte and, but for null and the bools, a length and
// its bytes. Numbers keep the text they were sent with, so money and ids above
// 2^53 stay exact. Duplicate keys cannot occur: the [Builder] keeps the last.
type Object string

// Kind says what a [Value] is.
type Kind uint8

// The kinds of value. They are the tag bytes of the encoding: never renumber.
const (
	Null   Kind = 0
	False  Kind = 1
	True   Kind = 2
	Number Kind = 3
	String Kind = 4
	List   Kind = 5
	Map    Kind = 6
)

// Value is one JSON value. The zero Value is null.
type Value struct {
	Kind Kind
	Raw  string // Number: its text. String: the string. List, Map: the encoded body.
}

// Text returns a [Value] of a string.
func Text(s string) Value { return Value{String, s} }

// Num returns a [Value] of a number. JSON has no way to write NaN and the
// infinities: they are null.
func Num(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{Number, strconv.FormatFloat(f, 'g', -1, 64)}
}

// Int returns a [Value] of a whole number.
func Int(n int64) Value { return Value{Number, strconv.FormatInt(n, 10)} }

// Yes returns a [Value] of a bool.
func Yes(b bool) Value {
	if b {
		return Value{Kind: True}
	}
	return Value{Kind: False}
}

// Nested returns a [Value] of an object.
func Nested(o Object) Value { return Value{Map, string(o)} }

// ListOf returns a [Value] of a list.
func ListOf(vs ...Value) Value {
	var b []byte
	for _, v := range vs {
		b = appendValue(b, v)
	}
	return Value{List, string(b)}
}

// Float returns the number and whether v is one. A bool is 0 or 1; a string
// that is a number in full counts as that number, but not the words that Go reads
// as NaN and infinity: somebody may be called so.
func (v Value) Float() (float64, bool) {
	switch v.Kind {
	case True:
		return 1, true
	case False:
		return 0, true
	case Number, String:
		f, err := strconv.ParseFloat(v.Raw, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, false
		}
		return f, true
	}
	return 0, false
}

// String returns the value as a person would write it: strings and numbers as
// they are, bools as words, null as nothing, lists and maps as JSON.
func (v Value) String() string {
	switch v.Kind {
	case Number, String:
		return v.Raw
	case True:
		return "true"
	case False:
		return "false"
	case List, Map:
		return string(v.AppendJSON(nil))
	}
	return ""
}

// Object returns the object that v is; empty if it is none.
func (v Value) Object() Object {
	if v.Kind == Map {
		return Object(v.Raw)
	}
	return ""
}

// Items calls yield for each item of a list, in order, until it returns false.
func (v Value) Items(yield func(Value) bool) {
	if v.Kind != List {
		return
	}
	for rest := v.Raw; rest != ""; {
		item, tail, ok := cutValue(rest)
		if !ok || !yield(item) {
			return
		}
		rest = tail
	}
}

// Each calls yield for each field, in the order sent, until it returns false.
func (o Object) Each(yield func(key string, v Value) bool) {
	for rest := string(o); rest != ""; {
		key, tail, ok := cutText(rest)
		if !ok {
			return
		}
		v, next, ok := cutValue(tail)
		if !ok || !yield(key, v) {
			return
		}
		rest = next
	}
}

// Field is one field of an [Object].
type Field struct {
	Key   string
	Value Value
}

// AppendFields appends the fields, in the order sent: for who looks into one object
// again and again.
func (o Object) AppendFields(dst []Field) []Field {
	for rest := string(o); rest != ""; {
		key, tail, ok := cutText(rest)
		if !ok {
			break
		}
		v, next, ok := cutValue(tail)
		if !ok {
			break
		}
		dst = append(dst, Field{key, v})
		rest = next
	}
	return dst
}

// Get returns the value at a path such as "category" or "address.city", and
// whether it is there. A key that contains the dot itself wins.
func (o Object) Get(path string) (Value, bool) {
	if v, ok := o.field(path); ok {
		return v, true
	}
	for i := 0; i < len(path); i++ {
		if path[i] != '.' {
			continue
		}
		if v, ok := o.field(path[:i]); ok {
			if v.Kind == Map {
				return Object(v.Raw).Get(path[i+1:])
			}
			return Value{}, false
		}
	}
	return Value{}, false
}

// field walks the fields up to the one of the key. It is asked a few dozen times with
// each event, so it takes nothing out of the object but what it looks for.
func (o Object) field(key string) (Value, bool) {
	for i := 0; i < len(o); {
		n := int(o[i])
		if i++; n >= 0x80 {
			n, i = longText(o, i-1)
		}
		if n >= len(o)-i { // a value must follow
			break
		}
		found := n == len(key) && string(o[i:i+n]) == key
		i += n
		kind := Kind(o[i])
		if i++; kind < Number {
			if found {
				return Value{Kind: kind}, true
			}
			continue
		}
		if kind > Map || i == len(o) {
			break
		}
		n = int(o[i])
		if i++; n >= 0x80 {
			n, i = longText(o, i-1)
		}
		if n > len(o)-i {
			break
		}
		if found {
			return Value{kind, string(o[i : i+n])}, true
		}
		i += n
	}
	return Value{}, false
}

// longText reads the length of the text that begins at i, and where its bytes begin.
// One that cannot be gives more than there is.
func longText(o Object, i int) (n, at int) {
	u, w, ok := cutUvarint(string(o[i:]))
	if !ok || u > uint64(len(o)) {
		return len(o) + 1, len(o)
	}
	return int(u), i + w
}

// Text returns the string or number at path as text; empty if there is none.
func (o Object) Text(path string) string {
	v, _ := o.Get(path)
	if v.Kind == String || v.Kind == Number {
		return v.Raw
	}
	return ""
}

// With returns o with key set to v, in its old place if it has one. It walks o
// once, however many fields a stranger has sent.
func (o Object) With(key string, v Value) Object {
	buf := make([]byte, 0, len(o)+len(key)+len(v.Raw)+16)
	placed := false
	o.Each(func(k string, old Value) bool {
		if k == key {
			old, placed = v, true
		}
		buf = AppendField(buf, k, old)
		return true
	})
	if !placed {
		buf = AppendField(buf, key, v)
	}
	return Object(buf)
}

// AppendJSON appends o as JSON text.
func (o Object) AppendJSON(dst []byte) []byte { return Nested(o).AppendJSON(dst) }

// MarshalJSON returns o as JSON text.
func (o Object) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil), nil }

// MarshalJSON returns v as JSON text.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends v as JSON text.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Kind {
	case True:
		return append(dst, "true"...)
	case False:
		return append(dst, "false"...)
	case Number:
		return append(dst, v.Raw...)
	case String:
		return AppendQuoted(dst, v.Raw)
	case List:
		dst = append(dst, '[')
		first := true
		v.Items(func(item Value) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = item.AppendJSON(dst)
			return true
		})
		return append(dst, ']')
	case Map:
		dst = append(dst, '{')
		first := true
		Object(v.Raw).Each(func(key string, field Value) bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = AppendQuoted(dst, key)
			dst = append(dst, ':')
			dst = field.AppendJSON(dst)
			return true
		})
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// AppendQuoted appends s as a JSON string. Bytes that are no UTF-8 become the
// replacement character, as encoding/json does it: half a letter in one text must
// not make a whole answer unreadable.
func AppendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += n - 1
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}

// Builder makes an [Object]. The zero Builder is ready to use.
type Builder struct{ fields []Field }

// Grow makes room for so many fields.
func (b *Builder) Grow(n int) *Builder {
	b.fields = slices.Grow(b.fields, n)
	return b
}

// Set sets key to v; a key that was set before keeps its place and takes the new value.
func (b *Builder) Set(key string, v Value) *Builder {
	for i := range b.fields {
		if b.fields[i].Key == key {
			b.fields[i].Value = v
			return b
		}
	}
	if b.fields == nil {
		b.fields = make([]Field, 0, 4)
	}
	b.fields = append(b.fields, Field{key, v})
	return b
}

// SetText sets key to a string, unless it is empty.
func (b *Builder) SetText(key, s string) *Builder {
	if s != "" {
		b.Set(key, Text(s))
	}
	return b
}

// Object returns what was built.
func (b *Builder) Object() Object {
	n := 0
	for i := range b.fields {
		n += len(b.fields[i].Key) + len(b.fields[i].Value.Raw) + 8
	}
	var few [512]byte
	buf := few[:0]
	if n > len(few) {
		buf = make([]byte, 0, n)
	}
	for i := range b.fields {
		buf = AppendField(buf, b.fields[i].Key, b.fields[i].Value)
	}
	return Object(buf)
}

// AppendField appends one field in the encoding of [Object]. The caller sees to
// it that no key comes twice. It serves readers on the hot path that cannot
// afford a [Builder].
func AppendField(dst []byte, key string, v Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = append(dst, key...)
	return appendValue(dst, v)
}

// AppendItem appends one item in the encoding of a list's Raw.
func AppendItem(dst []byte, v Value) []byte { return appendValue(dst, v) }

func appendValue(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.Kind))
	if v.Kind >= Number {
		dst = binary.AppendUvarint(dst, uint64(len(v.Raw)))
		dst = append(dst, v.Raw...)
	}
	return dst
}

func cutValue(s string) (v Value, rest string, ok bool) {
	if s == "" || s[0] > byte(Map) {
		return Value{}, "", false
	}
	kind := Kind(s[0])
	if kind < Number {
		return Value{Kind: kind}, s[1:], true
	}
	raw, rest, ok := cutText(s[1:])
	return Value{kind, raw}, rest, ok
}

func cutText(s string) (text, rest string, ok bool) {
	n, i, ok := cutUvarint(s)
	if !ok || n > uint64(len(s)-i) {
		return "", "", false
	}
	return s[i : i+int(n)], s[i+int(n):], true
}

func cutUvarint(s string) (v uint64, n int, ok bool) {
	for shift := uint(0); n < len(s) && shift < 64; shift += 7 {
		c := s[n]
		n++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, n, true
		}
	}
	return 0, 0, false
}

// Valid reports whether o is whole: every length fits, to the last level. It is
// asked where bytes come from outside the process.
func (o Object) Valid() bool { return validBody(string(o), true, 0) }

func validBody(s string, keyed bool, depth int) bool {
	if depth > maxDepth {
		return false
	}
	for s != "" {
		if keyed {
			_, rest, ok := cutText(s)
			if !ok {
				return false
			}
			s = rest
		}
		v, rest, ok := cutValue(s)
		if !ok || v.Kind == List && !validBody(v.Raw, false, depth+1) || v.Kind == Map && !validBody(v.Raw, true, depth+1) {
			return false
		}
		s = rest
	}
	return true
}

// maxDepth bounds nesting: a stranger's document must not exhaust the stack.
const maxDepth = 32

// Canonical returns the path in lower case with spaces cut off, for look-ups that
// should not depend on how a source spells a key.
func Canonical(path string) string { return strings.ToLower(strings.TrimSpace(path)) }
