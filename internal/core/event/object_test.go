package event_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
)

// tree draws what encoding/json gives for a document: maps, lists, strings,
// json.Number, bools and nil.
func tree(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.String().Draw(t, "string")
	case 3:
		return json.Number(strconv.FormatInt(rapid.Int64().Draw(t, "number"), 10))
	case 4:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,9})?(e[+-]?[0-9]{1,2})?`).Draw(t, "decimal"))
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			list = append(list, tree(t, depth-1))
		}
		return list
	}
	return document(t, depth-1)
}

func document(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		m[rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a", "b", "a.b", ""})).Draw(t, "key")] = tree(t, max(depth, 0))
	}
	return m
}

// value encodes what tree drew.
func value(v any) event.Value {
	switch v := v.(type) {
	case bool:
		return event.Yes(v)
	case string:
		return event.Text(v)
	case json.Number:
		return event.Value{Kind: event.Number, Raw: v.String()}
	case []any:
		var items []event.Value
		for _, x := range v {
			items = append(items, value(x))
		}
		return event.ListOf(items...)
	case map[string]any:
		return event.Nested(object(v))
	}
	return event.Value{}
}

func object(m map[string]any) event.Object {
	var b event.Builder
	for k, v := range m {
		b.Set(k, value(v))
	}
	return b.Object()
}

func TestAnObjectSaysTheSameJSONThatItWasMadeOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := document(t, 3)
		o := object(want)
		if !o.Valid() {
			t.Fatalf("an object that was just built is not valid: %q", o)
		}
		text := o.AppendJSON(nil)
		var got any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(got, any(want)) {
			t.Fatalf("JSON is %s, want %v", text, want)
		}
		if again, err := o.MarshalJSON(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("MarshalJSON = %s, %v", again, err)
		}
	})
}

func TestFieldsAppendedOneByOneAreThoseOfTheBuilder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b event.Builder
		var raw []byte
		for i := range rapid.IntRange(0, 6).Draw(t, "fields") {
			v := value(tree(t, 1))
			b.Set("k"+strconv.Itoa(i), v)
			raw = event.AppendField(raw, "k"+strconv.Itoa(i), v)
		}
		if b.Object() != event.Object(raw) {
			t.Fatalf("AppendField gives %q, the Builder %q", raw, b.Object())
		}
	})
}

func TestASetKeyKeepsItsPlaceAndTakesTheNewValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := object(document(t, 2))
		key, v := rapid.SampledFrom([]string{"a", "b", "a.b", "new"}).Draw(t, "key"), value(tree(t, 1))
		var b event.Builder
		o.Each(func(k string, old event.Value) bool { b.Set(k, old); return true })
		b.Set(key, v)
		if got := o.With(key, v); got != b.Object() {
			t.Fatalf("With = %s, want %s", got.AppendJSON(nil), b.Object().AppendJSON(nil))
		}
	})
}

func TestTheFieldsOfAnObjectAreThoseThatEachTells(t *testing.T) {
	t.Parallel()
	o := object(map[string]any{"a": 1.0, "b": "x", "c": []any{1.0}, "d": nil})
	fields := o.AppendFields([]event.Field{{Key: "before"}})
	n := 1
	o.Each(func(key string, v event.Value) bool {
		if n >= len(fields) || fields[n] != (event.Field{Key: key, Value: v}) {
			t.Errorf("field %d of %v is not %s", n, fields, key)
		}
		n++
		return true
	})
	if n != 5 || len(fields) != n || fields[0].Key != "before" {
		t.Errorf("%d fields: %v", n, fields)
	}
	if damaged := (o[:len(o)-1] + "\xff").AppendFields(nil); len(damaged) > 4 {
		t.Errorf("a damaged object has %v", damaged)
	}
}

func TestAPathLooksIntoNestedObjects(t *testing.T) {
	t.Parallel()
	var inner, dotted, o event.Builder
	inner.Set("city", event.Text("Leeds")).Set("no", event.Value{})
	dotted.Set("c", event.Int(1))
	o.Set("address", event.Nested(inner.Object())).Set("a.b", event.Text("dotted")).Set("a", event.Nested(dotted.Object())).
		Set("list", event.ListOf(event.Int(1))).Set("n", event.Value{Kind: event.Number, Raw: "9007199254740993"}).Set("yes", event.Yes(true))
	for _, c := range []struct {
		path, text string
		found      bool
	}{
		{"address.city", "Leeds", true},
		{"address.no", "", true},
		{"address.street", "", false},
		{"address.city.deeper", "", false},
		{"a.b", "dotted", true}, // a key that contains the dot itself wins
		{"a.c", "1", true},
		{"n", "9007199254740993", true},
		{"yes", "", true},
		{"list", "", true},
		{"list.0", "", false},
		{"", "", false},
		{".", "", false},
		{"address.", "", false},
		{".city", "", false},
	} {
		got := o.Object()
		_, found := got.Get(c.path)
		if found != c.found || got.Text(c.path) != c.text {
			t.Errorf("%q: found %v %q, want %v %q", c.path, found, got.Text(c.path), c.found, c.text)
		}
	}
}

func TestWhatIsANumberCountsAsOneAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v  event.Value
		f  float64
		ok bool
	}{
		{event.Int(-3), -3, true},
		{event.Text("2.50"), 2.5, true},
		{event.Yes(true), 1, true},
		{event.Yes(false), 0, true},
		{event.Text(""), 0, false},
		{event.Text("nan"), 0, false}, // somebody may be called so
		{event.Text("Infinity"), 0, false},
		{event.Text("-inf"), 0, false},
		{event.Text("1e999"), 0, false},
		{event.Text("3 lamps"), 0, false},
		{event.Value{}, 0, false},
		{event.ListOf(event.Int(1)), 0, false},
	} {
		if f, ok := c.v.Float(); f != c.f || ok != c.ok {
			t.Errorf("%s as a number: %v, %v; want %v, %v", c.v, f, ok, c.f, c.ok)
		}
	}
}

func TestANumberThatJSONCannotWriteIsNull(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1), math.NaN()})).Draw(t, "f")
		if text := event.Num(f).AppendJSON(nil); !json.Valid(text) {
			t.Fatalf("Num(%v) is %s in JSON", f, text)
		}
	})
}

// checkQuoted compares a quoted text with the standard library's.
func checkQuoted(t interface{ Fatalf(string, ...any) }, s string) {
	text := event.AppendQuoted(nil, s)
	if !utf8.Valid(text) || !json.Valid(text) {
		t.Fatalf("%q is quoted as %q, which is no JSON", s, text)
	}
	theirs, _ := json.Marshal(s)
	var got, want string
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := json.Unmarshal(theirs, &want); err != nil {
		t.Fatalf("%s: %v", theirs, err)
	}
	if got != want {
		t.Fatalf("%q comes back as %q, want %q", s, got, want)
	}
}

func TestATextIsQuotedAsTheStandardLibraryMeansIt(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "\x00\x1f\x7f", "\"\\/", "a\nb\rc\td", "é 😀  ", "\xff", "a\xc3", "\xed\xa0\x80", "ok\xf0\x9f\x98", "<script>"} {
		checkQuoted(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		checkQuoted(t, string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
	})
}

func FuzzQuoted(f *testing.F) {
	f.Add("a\xffb")
	f.Fuzz(func(t *testing.T, s string) { checkQuoted(t, s) })
}

// look does with an object everything that is done with one.
func look(t interface{ Fatalf(string, ...any) }, o event.Object) {
	valid := o.Valid()
	text := o.AppendJSON(nil)
	// Each byte of an object is at most one letter of JSON, six bytes if it is
	// escaped, beside quotes and commas.
	if len(text) > 8*len(o)+2 {
		t.Fatalf("%d bytes became %d of JSON", len(o), len(text))
	}
	n := 0
	o.Each(func(key string, v event.Value) bool {
		n++
		if got, ok := o.Get(key); valid && !ok {
			t.Fatalf("the key %q of %q is not found, but %v", key, o, got)
		}
		v.Float()
		_ = v.String()
		v.Items(func(event.Value) bool { n++; return true })
		return true
	})
	if n > len(o) {
		t.Fatalf("%d bytes hold %d values", len(o), n)
	}
	if grown := o.With("k", event.Int(1)); grown.Text("k") != "1" {
		t.Fatalf("With loses what it sets in %q", o)
	}
}

func TestDamagedObjectsAreReadAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bytes := []byte(object(document(t, 3)))
		if rapid.Bool().Draw(t, "damaged") {
			for range rapid.IntRange(1, 4).Draw(t, "damages") {
				if len(bytes) > 0 {
					bytes[rapid.IntRange(0, len(bytes)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
				}
			}
			bytes = bytes[:rapid.IntRange(0, len(bytes)).Draw(t, "cut")]
		}
		look(t, event.Object(bytes))
	})
}

func FuzzObject(f *testing.F) {
	f.Add(string((&event.Builder{}).Set("a", event.ListOf(event.Int(1), event.Text("x"))).Object()))
	f.Add("\x01a\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, s string) { look(t, event.Object(s)) })
}

func TestADocumentNestedTooDeepIsNotValid(t *testing.T) {
	t.Parallel()
	nested := func(n int) event.Object {
		var o event.Object
		for range n {
			o = (&event.Builder{}).Set("k", event.Nested(o)).Object()
		}
		return o
	}
	if !nested(32).Valid() {
		t.Error("32 levels are refused")
	}
	if nested(40).Valid() {
		t.Error("40 levels are taken")
	}
	if o := nested(5000); o.Valid() || !strings.HasPrefix(string(o.AppendJSON(nil)), `{"k":{"k":`) {
		t.Error("5,000 levels are taken, or not shown")
	}
}

// TestALookIntoAnObjectIsAWalkThroughIt holds the look-up, which reads bytes by itself,
// to what a walk finds, in objects that are whole and in any bytes.
func TestALookIntoAnObjectIsAWalkThroughIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SampledFrom([]string{"", "a", "b", "sku", strings.Repeat("k", 127), strings.Repeat("k", 128), strings.Repeat("k", 300)})
		var b event.Builder
		for range rapid.IntRange(0, 5).Draw(t, "fields") {
			b.Set(keys.Draw(t, "key"), rapid.SampledFrom([]event.Value{
				{}, event.Yes(true), event.Int(7), event.Text(""), event.Text(strings.Repeat("v", 127)), event.Text(strings.Repeat("v", 400)), event.ListOf(event.Int(1), event.Text("x")),
			}).Draw(t, "value"))
		}
		raw := []byte(b.Object())
		for range rapid.IntRange(0, 3).Draw(t, "damaged") {
			if len(raw) > 0 {
				raw[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		o := event.Object(raw[:rapid.IntRange(0, len(raw)).Draw(t, "cut")])
		key := keys.Draw(t, "look for")
		var want event.Value
		there := false
		o.Each(func(k string, v event.Value) bool {
			if k == key {
				want, there = v, true
			}
			return !there
		})
		if got, ok := o.Get(key); ok != there || got != want {
			t.Fatalf("%q in %q: %+v, %v; a walk finds %+v, %v", key, o, got, ok, want, there)
		}
	})
}
