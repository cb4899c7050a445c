package content

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// The values that expressions have: nil (nothing there), bool, int64, float64,
// string, safe, []any, span, event.Object, map[string]any, event.Time, and the
// two words below. [lift] makes one of them of what a caller passes.

// safe is text that is HTML already: what a capture in HTML collected. It is
// written as it is where text stands, and is ordinary text everywhere else.
type safe string

// word is one of Liquid's two values that only comparisons understand.
type word uint8

const (
	isEmpty word = iota + 1
	isBlank
)

// span is the range of whole numbers from a to b.
type span struct{ a, b int64 }

func (s span) len() int {
	if s.b < s.a {
		return 0
	}
	if n := uint64(s.b) - uint64(s.a); n < math.MaxInt32 {
		return int(n) + 1
	}
	return math.MaxInt32
}

// lift returns v as one of the values of expressions; what is none is nothing.
func lift(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, event.Object, map[string]any, event.Time, safe, span, word, *loop, pair, gap:
		return v
	case []any:
		return liftList(v)
	case event.Value:
		return liftValue(v)
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case money.Amount:
		return v.String()
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []map[string]any:
		out := make([]any, len(v))
		for i, m := range v {
			out[i] = m
		}
		return out
	case []event.Object:
		out := make([]any, len(v))
		for i, o := range v {
			out[i] = o
		}
		return out
	case interface{ String() string }:
		return v.String()
	}
	return nil
}

// liftList returns a list of values of expressions: v itself if it is one, and at
// most maxItems of it.
func liftList(v []any) []any {
	v = v[:min(len(v), maxItems)]
	for i, item := range v {
		switch item.(type) {
		case nil, bool, int64, float64, string, event.Object, map[string]any, event.Time, safe, span, word, *loop, pair:
			continue
		}
		out := make([]any, len(v))
		copy(out, v[:i])
		for j := i; j < len(v); j++ {
			out[j] = lift(v[j])
		}
		return out
	}
	return v
}

// liftValue returns a value of an event.
func liftValue(v event.Value) any {
	switch v.Kind {
	case event.True:
		return true
	case event.False:
		return false
	case event.String:
		return v.Raw
	case event.Number:
		if strings.IndexByte(v.Raw, '.') < 0 { // else parsing it as whole is an error made in vain
			if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil {
				return n
			}
		}
		if f, err := strconv.ParseFloat(v.Raw, 64); err == nil {
			return f
		}
		return v.Raw
	case event.List:
		out := make([]any, 0, 16)
		v.Items(func(item event.Value) bool {
			out = append(out, liftValue(item))
			return len(out) < maxItems
		})
		return out
	case event.Map:
		return event.Object(v.Raw)
	}
	return nil
}

// field returns a field of an object of our own, and whether it is there.
func field(v any, key string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		f, ok := v[key]
		return lift(f), ok
	case *loop:
		return v.field(key)
	}
	return nil, false
}

// pair is a field of an object as loops see it: [key, value].
type pair struct {
	key   string
	value any
}

// pairs returns the fields of an object: those of an event's as they were sent,
// those of a map by name.
func pairs(v any) []any {
	var out []any
	switch v := v.(type) {
	case event.Object:
		v.Each(func(k string, f event.Value) bool {
			out = append(out, pair{k, liftValue(f)})
			return len(out) < maxItems
		})
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v { // order does not matter: they are sorted below
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys[:min(len(keys), maxItems)] {
			out = append(out, pair{k, lift(v[k])})
		}
	}
	return out
}

func isObject(v any) bool {
	switch v.(type) {
	case event.Object, map[string]any, *loop:
		return true
	}
	return false
}

// size returns how many characters, items or fields a value has, and whether it
// has any size.
func (r *run) size(v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), true
	case safe:
		return int64(utf8.RuneCountInString(string(v))), true
	case []any:
		return int64(len(v)), true
	case pair:
		return 2, true
	case span:
		return int64(v.len()), true
	case event.Object, map[string]any:
		return int64(len(r.pairs(v))), true
	}
	return 0, false
}

// perStep is how many bytes are looked at, a few times over, in the time of a step.
const perStep = 64

// touch pays for looking at a value, which takes the longer the longer it is.
func (r *run) touch(v any) {
	switch v := v.(type) {
	case string:
		r.step(len(v) / perStep)
	case safe:
		r.step(len(v) / perStep)
	case event.Object:
		r.step(len(v) / perStep)
	case []any:
		r.step(len(v) / 64)
	}
}

// opened is an object of an event whose fields were read.
type opened struct {
	raw      string
	from, to int // its fields among run.fields
}

// maxOpened and maxFields bound how many objects and fields are remembered.
const (
	maxOpened = 64
	maxFields = 2048
)

// get returns a field of an event's object. It remembers the fields of objects: a
// message shows several of each product, and its text part goes through the
// products in the same order as its HTML.
func (r *run) get(o event.Object, key string) (event.Value, bool) {
	f := r.fieldsOf(o)
	for i := f.from; i < f.to; i++ {
		if r.fields[i].Key == key {
			return r.fields[i].Value, true
		}
	}
	return event.Value{}, false
}

// fieldOf is get of a path of one step, which mostly finds its field where it was in
// the object before.
func (r *run) fieldOf(o event.Object, p *path) (event.Value, bool) {
	f, key := r.fieldsOf(o), p.steps[0].name
	if i := f.from + int(r.hints[p.id]); i < f.to && r.fields[i].Key == key {
		return r.fields[i].Value, true
	}
	for i := f.from; i < f.to; i++ {
		if r.fields[i].Key == key {
			r.hints[p.id] = uint8(min(i-f.from, math.MaxUint8))
			return r.fields[i].Value, true
		}
	}
	return event.Value{}, false
}

// fieldsOf returns where the fields of an object are.
func (r *run) fieldsOf(o event.Object) opened {
	if len(r.opened) == 0 || r.opened[r.at].raw != string(o) {
		if r.at++; r.at >= len(r.opened) {
			r.at = 0
		}
		if len(r.opened) == 0 || r.opened[r.at].raw != string(o) {
			r.open(o)
		}
	}
	return r.opened[r.at]
}

// open reads the fields of an object.
func (r *run) open(o event.Object) {
	if len(r.opened) >= maxOpened || len(r.fields) >= maxFields {
		r.opened, r.fields = r.opened[:0], r.fields[:0]
	}
	from := len(r.fields)
	r.fields = o.AppendFields(r.fields)
	r.at = len(r.opened)
	r.opened = append(r.opened, opened{string(o), from, len(r.fields)})
}

// lifted is field that remembers the last list: a message asks for its products
// several times.
func (r *run) lifted(v any, key string) (any, bool) {
	o, isObject := v.(event.Object)
	if !isObject {
		return field(v, key)
	}
	f, ok := r.get(o, key)
	if f.Kind != event.List || f.Raw == "" {
		return liftValue(f), ok
	}
	if f.Raw != r.lastRaw {
		r.lastRaw, r.last = f.Raw, liftValue(f)
	}
	return r.last, ok
}

// field returns a field of an object and pays for finding and lifting it.
func (r *run) field(v any, key string) (any, bool) {
	r.touch(v)
	f, ok := r.lifted(v, key)
	if list, isList := f.([]any); isList {
		r.step(len(list))
	}
	return f, ok
}

// pairs returns the fields of an object and pays for them.
func (r *run) pairs(v any) []any {
	r.touch(v)
	p := pairs(v)
	if !r.step(len(p)) || !r.make(len(p)*perItem) {
		return nil
	}
	return p
}

func truthy(v any) bool { return v != nil && v != false }

// empty reports whether v equals Liquid's empty.
func empty(v any) bool {
	if v == isEmpty {
		return true
	}
	switch v := v.(type) {
	case string:
		return v == ""
	case safe:
		return v == ""
	case []any:
		return len(v) == 0
	case span:
		return v.len() == 0
	case event.Object:
		return v == ""
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// blank reports whether v equals Liquid's blank: nothing, false, empty or only
// white space.
func blank(v any) bool {
	switch v := v.(type) {
	case nil, word:
		return true
	case bool:
		return !v
	case string:
		return blankText(v)
	case safe:
		return blankText(string(v))
	}
	return empty(v)
}

func blankText(s string) bool {
	if s != "" && s[0] > ' ' && s[0] < 0x80 {
		return false
	}
	return strings.TrimSpace(s) == ""
}

// text returns v as it is written, unescaped.
func (r *run) text(v any) string {
	if s, ok := r.scalar(v); ok {
		return s
	}
	b := r.appendText(nil, v, false, 0)
	if !r.make(len(b)) {
		return ""
	}
	return string(b)
}

// scalar returns the text of what has no parts, and whether v is that.
func (r *run) scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case safe:
		if !r.make(len(v)) {
			return "", true
		}
		return plainOf(v), true
	case gap:
		return v.String(), true
	case nil, word:
		return "", true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return floatText(v), true
	case event.Time:
		return v.In(r.zone()).Format("2006-01-02 15:04:05 -0700"), true
	case span:
		return strconv.FormatInt(v.a, 10) + ".." + strconv.FormatInt(v.b, 10), true
	}
	return "", false
}

// maxNesting bounds lists in lists and objects in objects when they are written.
const maxNesting = 16

// appendText appends a list as its items in a row, and an object as Ruby shows
// it, which is what Liquid does: inside an object strings have quotes.
func (r *run) appendText(b []byte, v any, inside bool, depth int) []byte {
	if !r.step(1) || depth > maxNesting || len(b) > r.made {
		return b
	}
	list := func(items []any) []byte {
		if inside {
			b = append(b, '[')
		}
		for i, item := range items {
			if inside && i > 0 {
				b = append(b, ", "...)
			}
			b = r.appendText(b, item, inside, depth+1)
		}
		if inside {
			b = append(b, ']')
		}
		return b
	}
	switch v := v.(type) {
	case []any:
		return list(v)
	case pair:
		return list([]any{v.key, v.value})
	case event.Object, map[string]any:
		b = append(b, '{')
		for i, p := range r.pairs(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendQuote(b, p.(pair).key)
			b = append(b, "=>"...)
			b = r.appendText(b, p.(pair).value, true, depth+1)
		}
		return append(b, '}')
	case *loop:
		return append(b, "forloop"...)
	case string:
		if inside {
			return strconv.AppendQuote(b, v)
		}
	case nil:
		if inside {
			return append(b, "nil"...)
		}
	}
	s, _ := r.scalar(v) // what is neither a list nor an object nor a scalar does not exist
	return append(b, s...)
}

// floatText writes a number as Ruby does: always with a decimal point.
func floatText(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "NaN"
	}
	if a := math.Abs(f); a != 0 && (a >= 1e16 || a < 1e-4) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
			s = mantissa + ".0e" + exponent
		}
		return s
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// items returns what a filter of lists works on: the items of a list, the one
// thing that is no list, or nothing.
func (r *run) items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		r.step(len(v))
		return v
	case pair:
		return []any{v.key, v.value}
	case span:
		n := v.len()
		if !r.step(n) || !r.make(n*perItem) {
			return nil
		}
		out := make([]any, n)
		for i := range out {
			out[i] = v.a + int64(i)
		}
		return out
	}
	return []any{v}
}
