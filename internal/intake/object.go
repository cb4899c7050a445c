package intake

import (
	"math"
	"strconv"
	"strings"
	"unsafe"

	"github.com/valyala/fastjson"

	"rapport/internal/core/event"
)

// encoder turns what fastjson parsed into the encoding of [event.Object]. It is
// used again and again, so that encoding allocates nothing; what it returns is
// valid until the next call.
type encoder struct {
	levels  [maxDepth + 1][]byte // one buffer for each level of nesting
	pairs   []pair               // the fields of the objects being encoded, outermost first
	seen    map[string]int       // key → index in pairs, for objects of many keys
	scratch []byte
	dirty   bool // strings may hold NUL or invalid UTF-8 and are cleaned one by one

	field, reason string // of the first thing that could not be encoded
}

// pair is one field. A nil value is a field whose key came again later.
type pair struct {
	key   string
	value *fastjson.Value
}

// fewKeys is up to how many keys comparing each with each is faster than a map.
const fewKeys = 16

// object encodes o, with the extra fields set over its own and without the
// field named except. False means that [encoder.field] and [encoder.reason] say
// what is wrong.
func (w *encoder) object(o *fastjson.Object, level int, except string, extra ...pair) ([]byte, bool) {
	if level > maxDepth {
		return nil, w.fail("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	}
	start := len(w.pairs)
	defer func() { w.pairs = w.pairs[:start] }()
	o.Visit(func(k []byte, v *fastjson.Value) {
		if key := w.clean(alias(k)); key != except || except == "" {
			w.pairs = append(w.pairs, pair{key, v})
		}
	})
	for _, p := range extra {
		if p.value != nil && p.value.Type() != fastjson.TypeNull {
			w.pairs = append(w.pairs, p)
		}
	}
	if n := len(w.pairs) - start; n > maxKeys {
		return nil, w.fail("an object with " + strconv.Itoa(n) + " keys; at most " + strconv.Itoa(maxKeys) + " are taken")
	}
	w.dropRepeated(w.pairs[start:])
	dst := w.levels[level][:0]
	// By index: encoding a nested object appends to the same stack and may move it.
	for i := start; i < len(w.pairs); i++ {
		key, value := w.pairs[i].key, w.pairs[i].value
		if value == nil {
			continue
		}
		if len(key) > maxKeyLen {
			return nil, w.fail("a key longer than " + strconv.Itoa(maxKeyLen) + " bytes: " + strings.ToValidUTF8(strings.Clone(key[:40]), "") + "…")
		}
		v, ok := w.value(value, level)
		if !ok {
			w.under(key)
			return nil, false
		}
		dst = event.AppendField(dst, key, v)
	}
	w.levels[level] = dst
	return dst, true
}

// dropRepeated clears all but the last field of each key: the last wins, as in
// every browser.
func (w *encoder) dropRepeated(fields []pair) {
	if len(fields) <= fewKeys {
		for i := range fields {
			for j := i + 1; j < len(fields); j++ {
				if fields[i].key == fields[j].key {
					fields[i].value = nil
					break
				}
			}
		}
		return
	}
	if w.seen == nil {
		w.seen = make(map[string]int, 2*fewKeys)
	}
	for i := range fields {
		if before, ok := w.seen[fields[i].key]; ok {
			fields[before].value = nil
		}
		w.seen[fields[i].key] = i
	}
	// The keys are pieces of the parser's buffer and must not stay. Clearing a map
	// takes as long as it once was large, so one that has grown is given away.
	if len(fields) > 8*fewKeys {
		w.seen = nil
	} else {
		clear(w.seen)
	}
}

// value encodes one value of an object or list on the level.
func (w *encoder) value(v *fastjson.Value, level int) (event.Value, bool) {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes() // it is a string
		return event.Value{Kind: event.String, Raw: w.clean(alias(b))}, true
	case fastjson.TypeNumber:
		w.scratch = v.MarshalTo(w.scratch[:0])
		text := alias(w.scratch)
		if why := badNumber(text); why != "" {
			return event.Value{}, w.fail(why)
		}
		return event.Value{Kind: event.Number, Raw: text}, true
	case fastjson.TypeTrue:
		return event.Value{Kind: event.True}, true
	case fastjson.TypeFalse:
		return event.Value{Kind: event.False}, true
	case fastjson.TypeObject:
		o, _ := v.Object() // it is an object
		body, ok := w.object(o, level+1, "")
		return event.Value{Kind: event.Map, Raw: alias(body)}, ok
	case fastjson.TypeArray:
		body, ok := w.list(v, level+1)
		return event.Value{Kind: event.List, Raw: alias(body)}, ok
	}
	return event.Value{Kind: event.Null}, true
}

func (w *encoder) list(v *fastjson.Value, level int) ([]byte, bool) {
	if level > maxDepth {
		return nil, w.fail("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	}
	items, _ := v.Array() // it is a list
	dst := w.levels[level][:0]
	for i, item := range items {
		value, ok := w.value(item, level)
		if !ok {
			w.under("[" + strconv.Itoa(i) + "]")
			return nil, false
		}
		dst = event.AppendItem(dst, value)
	}
	w.levels[level] = dst
	return dst, true
}

// fail notes a reason. It returns false, for its callers to return.
func (w *encoder) fail(reason string) bool {
	w.field, w.reason = "", reason
	return false
}

// under puts the key before the path of the field that failed.
func (w *encoder) under(key string) {
	switch {
	case w.field == "":
		w.field = key // a piece of the parser's buffer, until the next key is put before it
	case w.field[0] == '[':
		w.field = key + w.field
	default:
		w.field = key + "." + w.field
	}
	w.field = cut(w.field, maxField)
}

// clean makes a string fit for every store: valid UTF-8 without NUL. What is
// neither becomes U+FFFD, so that two wrong strings are not made one empty one.
func (w *encoder) clean(s string) string {
	if !w.dirty {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// badNumber says why text is not a number as JSON has it, or cannot be held by
// a float; empty if it is fine. fastjson takes any run of digits and signs, and NaN.
func badNumber(text string) string {
	if len(text) > maxNumber {
		return "a number of more than " + strconv.Itoa(maxNumber) + " characters"
	}
	i := 0
	run := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	whole := i
	ok := run() && (text[whole] != '0' || i == whole+1)
	if ok && i < len(text) && text[i] == '.' {
		i++
		ok = run()
	}
	exponent := false
	if ok && i < len(text) && text[i]|0x20 == 'e' {
		exponent = true
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		ok = run()
	}
	if !ok || i != len(text) {
		return "not a number: " + text
	}
	if exponent { // without one, maxNumber digits are far from the largest float
		if f, err := strconv.ParseFloat(text, 64); err != nil || math.IsInf(f, 0) {
			return "a number too large to hold: " + text
		}
	}
	return ""
}

// alias returns b as a string without copying: for as long as b does not change.
func alias(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// cut returns at most n bytes of s, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
