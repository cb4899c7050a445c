package intake_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"rapport/internal/core/event"
	"rapport/internal/intake"
)

func withProps(props string) string {
	return `{"type":"track","messageId":"m1","event":"X","userId":"u1","properties":` + props + `}`
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":%d`, i, i)
	}
	return b.String() + `}`
}

func nested(open, close string, depth int) string {
	return strings.Repeat(open, depth) + strings.Repeat(close, depth)
}

func TestItem53HostilePropertiesHaveADefinedResult(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, props, want string }{
		{"names that mean something elsewhere", `{"__proto__":{"admin":true},"constructor":1,"toString":2,"":3}`, `{"__proto__":{"admin":true},"constructor":1,"toString":2,"":3}`},
		{"a key that comes twice: the last wins", `{"a":1,"b":2,"a":3}`, `{"b":2,"a":3}`},
		{"a key that comes twice, once escaped", `{"a":1,"\u0061":2}`, `{"a":2}`},
		{"a key that comes twice, deep down", `{"o":{"a":1,"a":{"b":1,"b":2}}}`, `{"o":{"a":{"b":2}}}`},
		{"NUL", `{"a\u0000b":"c\u0000d"}`, `{"a�b":"c�d"}`},
		{"NUL, raw", "{\"a\":\"b\x00c\"}", `{"a":"b�c"}`},
		{"bytes that are not UTF-8", "{\"a\":\"b\xff\xfec\"}", `{"a":"b�c"}`},
		{"an overlong encoding", "{\"a\":\"\xc0\xaf\"}", `{"a":"�"}`},
		{"a surrogate pair", `{"a":"\ud83d\ude00"}`, `{"a":"😀"}`},
		{"a lone high surrogate stays as it was written", `{"a":"x\ud83dy"}`, `{"a":"x\\ud83dy"}`},
		{"a lone low surrogate stays as it was written", `{"a":"x\udc00"}`, `{"a":"x\\udc00"}`},
		{"two high surrogates", `{"a":"\ud83d\ud83d"}`, `{"a":"�"}`},
		{"numbers beyond 2^53 stay exact", `{"a":12345678901234567890,"b":0.1000,"c":-0,"d":1E+2}`, `{"a":12345678901234567890,"b":0.1000,"c":-0,"d":1E+2}`},
		{"a number too small is nothing", `{"a":1e-999}`, `{"a":1e-999}`},
		{"markup is only text", `{"a":"</script><svg onload=alert(1)>\u2028"}`, "{\"a\":\"</script><svg onload=alert(1)>\u2028\"}"},
		{"empty things", `{"a":{},"b":[],"c":"","d":null}`, `{"a":{},"b":[],"c":"","d":null}`},
		{"a thousand keys", manyKeys(1000), manyKeys(1000)},
		{"two thousand fields of two keys", `{"a":1` + strings.Repeat(`,"a":1,"b":2`, 499) + `}`, `{"a":1,"b":2}`},
		{"as deep as is allowed", `{"a":` + nested("[", "]", 31) + `}`, `{"a":` + nested("[", "]", 31) + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := good(t, withProps(tt.props), fromWeb)
			if got := asJSON(e.Props); got != tt.want {
				t.Errorf("got  %.300q\nwant %.300q", got, tt.want)
			}
			if !e.Props.Valid() {
				t.Error("the object is not whole")
			}
		})
	}
}

func TestItem53HostilePropertiesAreRejectedWithAReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, props, field, reason string }{
		{"NaN", `{"a":NaN}`, "properties.a", "not a number"},
		{"nan, deep down", `{"a":{"b":nan}}`, "properties.a.b", "not a number"},
		{"Infinity", `{"a":Infinity}`, "", "not JSON"},
		{"a number without end", `{"a":[1,1e999]}`, "properties.a[1]", "too large to hold"},
		{"a number of a thousand digits", `{"a":{"b":[{"c":` + strings.Repeat("9", 1000) + `}]}}`, "properties.a.b[0].c", "64 characters"},
		{"two signs", `{"a":1-2}`, "properties.a", "not a number"},
		{"a leading zero", `{"a":012}`, "properties.a", "not a number"},
		{"a plus", `{"a":+1}`, "properties.a", "not a number"},
		{"a point and nothing", `{"a":1.}`, "properties.a", "not a number"},
		{"an exponent and nothing", `{"a":1e}`, "properties.a", "not a number"},
		{"hexadecimal", `{"a":0x10}`, "", "not JSON"},
		{"a comma too many", `{"a":1,}`, "", "not JSON"},
		{"a thousand and one keys", manyKeys(1001), "properties", "1001 keys; at most 1000"},
		{"a thousand and one keys, deep down", `{"a":[0,` + manyKeys(1001) + `]}`, "properties.a[1]", "1001 keys"},
		{"a long key", `{"` + strings.Repeat("k", 257) + `":1}`, "properties", "a key longer than 256 bytes: kkkk"},
		{"one level too deep", `{"a":` + nested("[", "]", 32) + `}`, "", "deeper than 32"},
		{"a thousand levels of lists", `{"a":` + nested("[", "]", 1000) + `}`, "", "deeper than 32"},
		{"a thousand levels of objects", strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat("}", 1000), "", "deeper than 32"},
		{"a long text", `{"a":"` + strings.Repeat("x", 2<<20) + `"}`, "", "bytes; at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := bad(t, withProps(tt.props), fromWeb)
			if r.Field != tt.field || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("rejected for %q: %q, want %q: … %q …", r.Field, r.Reason, tt.field, tt.reason)
			}
		})
	}
}

func TestTenThousandKeysOfAServerAreRejected(t *testing.T) {
	t.Parallel()
	server := intake.Defaults{Received: noon, Trust: event.Server, MaxEvent: intake.MaxEventServer}
	if r := bad(t, withProps(manyKeys(10_000)), server); !strings.Contains(r.Reason, "10000 keys") {
		t.Errorf("rejected: %s", r.Reason)
	}
	if r := bad(t, withProps(`{"a":[0`+strings.Repeat(",0", 60_000)+`]}`), server); !strings.Contains(r.Reason, "50000 values") {
		t.Errorf("rejected: %s", r.Reason)
	}
}

func TestTheOriginalPrototypePollutionStaysData(t *testing.T) {
	t.Parallel()
	e, _ := good(t, `{"__proto__":{"userId":"admin"},"type":"track","messageId":"m1","event":"X","userId":"u1"}`, fromWeb)
	if e.User != "u1" {
		t.Errorf("user %q", e.User)
	}
}

func TestAnEventDoesNotShareMemoryWithItsBody(t *testing.T) {
	t.Parallel()
	body := []byte(`{"batch":[` + withProps(`{"a":"first"}`) + `,` + withProps(`{"a":"second","n":17}`) + `,{"type":"track","messageId":"bad","properties":{"key":1e999}}]}`)
	out, err := intake.DecodeBatch(body, fromWeb)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v %+v %+v", out[0], out[1], *out[2].Reject)
	for i := range body {
		body[i] = '!'
	}
	for range 50 { // whatever is reused is overwritten
		if _, err := intake.DecodeBatch([]byte(`{"batch":[`+withProps(`{"zzzzzz":"zzzzzzzzzzzz","n":99999}`)+`]}`), fromWeb); err != nil {
			t.Fatal(err)
		}
	}
	if after := fmt.Sprintf("%+v %+v %+v", out[0], out[1], *out[2].Reject); after != before {
		t.Errorf("the events changed:\n%s\n%s", before, after)
	}
}

// FuzzDecodeBatch sends what strangers might. Whatever it is, every message is
// either a well-formed event or a reject with a reason.
func FuzzDecodeBatch(f *testing.F) {
	f.Add(sdkBatch(2))
	for _, props := range []string{
		`{"__proto__":1,"a":1,"a":2}`, `{"a\u0000":"\ud800\udc00\ud800"}`, "{\"a\":\"\xff\"}", `{"a":[1,-0.5e-3,true,null,{"b":[]}]}`,
		`{"n":1e999}`, `{"n":nan}`, nested("[", "]", 40), `{"a":"\\\""}`, `{"order_id":"o","products":[{"price":"1"}]}`,
	} {
		f.Add([]byte(`{"batch":[` + withProps(props) + `],"sentAt":"2026-03-01T12:00:00Z","context":{"a":1}}`))
		f.Add([]byte(withProps(props)))
	}
	f.Add([]byte(`{"batch":[null,1,"x",[],{}]}`))
	f.Add([]byte(`{"batch":[{"type":"alias","userId":1,"previousId":"p"},{"type":"group","anonymousId":"a","groupId":2},{"type":"page","anonymousId":"a","name":"n"}]}`))
	f.Add([]byte(`{"batch":[{"type":"identify","context":{"traits":{"email":"a@b.c"},"traits":{}},"timestamp":"2026-03-01 09:30"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, trust := range []event.Trust{event.Public, event.Server} {
			from := intake.Defaults{Received: noon, Trust: trust}
			out, err := intake.DecodeBatch(body, from)
			if err != nil && len(out) != 0 {
				t.Fatal("results beside an error")
			}
			one, err := intake.DecodeOne(body, from)
			if err == nil {
				out = append(out, one)
				sameAsTheStandardLibrary(t, body, one)
			}
			for _, d := range out {
				check(t, d, trust)
			}
		}
	})
}

// check fails if d is neither a good event nor a good reject.
func check(t *testing.T, d intake.Decoded, trust event.Trust) {
	t.Helper()
	if r := d.Reject; r != nil {
		if r.Reason == "" || len(r.Raw) == 0 || !utf8.ValidString(r.Field) && utf8.Valid(r.Raw) {
			t.Fatalf("a reject without a reason: %+v", r)
		}
		return
	}
	e := d.Event
	switch {
	case e.ID == "" || len(e.ID) > 100:
		t.Fatalf("id %q", e.ID)
	case e.Type == event.System || e.Type == 0:
		t.Fatalf("type %v", e.Type)
	case e.Type == event.Track && (e.Name == "" || len(e.Name) > 200):
		t.Fatalf("name %q", e.Name)
	case e.At > noon || e.At < 946_684_800_000:
		t.Fatalf("at %v", e.At)
	case d.Who.Value == "":
		t.Fatal("nobody")
	case e.Trust != trust:
		t.Fatalf("trust %v", e.Trust)
	}
	text := string(e.Append(nil))
	if !utf8.ValidString(e.Name+e.User+e.Anon+string(e.ID)) || strings.ContainsRune(e.Name+e.User+e.Anon+string(e.ID), 0) {
		t.Fatalf("texts that no store takes: %q %q %q %q", e.ID, e.Name, e.User, e.Anon)
	}
	stored, err := event.Decode(text)
	if err != nil || stored != e {
		t.Fatalf("not stored as it is: %v", err)
	}
	for _, o := range []event.Object{e.Props, e.Traits, e.Context} {
		if !o.Valid() {
			t.Fatalf("not whole: %q", string(o))
		}
		unique(t, o)
		var v any
		written := o.AppendJSON(nil)
		if err := json.Unmarshal(written, &v); err != nil {
			t.Fatalf("does not give JSON again: %v: %s", err, written)
		}
		if !utf8.Valid(written) {
			t.Fatalf("not UTF-8: %q", written)
		}
	}
}

// sameAsTheStandardLibrary compares the properties of a track call with what
// encoding/json reads, for what is JSON at all and has no escapes about which
// the two may differ.
func sameAsTheStandardLibrary(t *testing.T, body []byte, d intake.Decoded) {
	t.Helper()
	if d.Reject != nil || d.Event.Type != event.Track || !json.Valid(body) || !utf8.Valid(body) || strings.Contains(string(body), `\u`) {
		return
	}
	var theirs map[string]any
	if err := json.Unmarshal(body, &theirs); err != nil {
		return // a number that no float holds, in a field that we do not keep
	}
	ours := map[string]any{}
	if err := json.Unmarshal(d.Event.Props.AppendJSON(nil), &ours); err != nil {
		t.Fatal(err)
	}
	want, _ := theirs["properties"].(map[string]any)
	if len(want) != len(ours) || len(want) > 0 && !reflect.DeepEqual(want, ours) {
		t.Fatalf("read as %v, want %v", ours, want)
	}
}

func unique(t *testing.T, o event.Object) {
	seen := map[string]bool{}
	o.Each(func(key string, v event.Value) bool {
		if seen[key] {
			t.Fatalf("key %q twice", key)
		}
		seen[key] = true
		if strings.ContainsRune(key, 0) || v.Kind == event.String && strings.ContainsRune(v.Raw, 0) {
			t.Fatalf("NUL in %q: %q", key, v.Raw)
		}
		unique(t, v.Object())
		return true
	})
}
