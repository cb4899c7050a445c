package intake_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/intake"
)

var fromWeb = intake.Defaults{Received: noon, Source: "web"}

// good decodes one message that must be taken.
func good(t *testing.T, body string, from intake.Defaults) (event.Event, identity.Identifier) {
	t.Helper()
	d, err := intake.DecodeOne([]byte(body), from)
	if err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	if d.Reject != nil {
		t.Fatalf("rejected: %q: %s: %.200s", d.Reject.Field, d.Reject.Reason, body)
	}
	return d.Event, d.Who
}

// bad decodes one message that must be rejected.
func bad(t *testing.T, body string, from intake.Defaults) *intake.Reject {
	t.Helper()
	d, err := intake.DecodeOne([]byte(body), from)
	if err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	if d.Reject == nil {
		t.Fatalf("taken as %+v: %.200s", d.Event, body)
	}
	if d.Event.ID != "" || d.Event.Type != 0 {
		t.Errorf("a reject carries an event: %+v", d.Event)
	}
	return d.Reject
}

func asJSON(o event.Object) string { return string(o.AppendJSON(nil)) }

func TestEachCallBecomesAnEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body             string
		typ                    event.Type
		event, user, anon      string
		who                    string
		props, traits, context string
	}{
		{
			"track", `{"type":"track","messageId":"m1","event":"Product Viewed","userId":"u1","anonymousId":"a1","properties":{"sku":"x","price":9.90},"context":{"page":{"path":"/p"}}}`,
			event.Track, "Product Viewed", "u1", "a1", "user:u1", `{"sku":"x","price":9.90}`, `{}`, `{"page":{"path":"/p"}}`,
		},
		{
			"track with the person's traits in the context", `{"type":"track","messageId":"m1","event":"X","anonymousId":"a1","context":{"traits":{"email":"Ada@Shop.example"},"ip":"1"}}`,
			event.Track, "X", "", "a1", "email:ada@shop.example", `{}`, `{"email":"Ada@Shop.example"}`, `{"ip":"1"}`,
		},
		{
			"identify", `{"type":"identify","messageId":"m1","userId":"u1","traits":{"plan":"gold"}}`,
			event.Identify, "", "u1", "", "user:u1", `{}`, `{"plan":"gold"}`, `{}`,
		},
		{
			"identify as RudderStack sends it", `{"type":"identify","messageId":"m1","userId":"u1","traits":null,"context":{"traits":{"plan":"gold"}}}`,
			event.Identify, "", "u1", "", "user:u1", `{}`, `{"plan":"gold"}`, `{}`,
		},
		{
			"identify by e-mail alone", `{"type":"identify","messageId":"m1","traits":{"email":"ada@shop.example"}}`,
			event.Identify, "", "", "", "email:ada@shop.example", `{}`, `{"email":"ada@shop.example"}`, `{}`,
		},
		{
			"page", `{"type":"page","messageId":"m1","anonymousId":"a1","name":"Home","category":"Shop","properties":{"path":"/","name":"old"}}`,
			event.Page, "Page Viewed", "", "a1", "anonymous:a1", `{"path":"/","name":"Home","category":"Shop"}`, `{}`, `{}`,
		},
		{
			"page without a name", `{"type":"page","messageId":"m1","anonymousId":"a1","name":null,"properties":{"name":"kept"}}`,
			event.Page, "Page Viewed", "", "a1", "anonymous:a1", `{"name":"kept"}`, `{}`, `{}`,
		},
		{
			"screen", `{"type":"screen","messageId":"m1","anonymousId":"a1","name":"Basket"}`,
			event.Screen, "Screen Viewed", "", "a1", "anonymous:a1", `{"name":"Basket"}`, `{}`, `{}`,
		},
		{
			"group", `{"type":"group","messageId":"m1","userId":"u1","groupId":"g1","traits":{"name":"Acme"},"context":{"traits":{"plan":"gold"}}}`,
			event.Group, "", "u1", "", "user:u1", `{"groupId":"g1"}`, `{"name":"Acme"}`, `{"traits":{"plan":"gold"}}`,
		},
		{
			"alias", `{"type":"alias","messageId":"m1","userId":"u1","previousId":"a9"}`,
			event.Alias, "", "u1", "", "user:u1", `{"previousId":"a9"}`, `{}`, `{}`,
		},
		{
			"ids that are numbers", `{"type":"track","messageId":17,"event":"X","userId":12345678901234567890}`,
			event.Track, "X", "12345678901234567890", "", "user:12345678901234567890", `{}`, `{}`, `{}`,
		},
		{
			"an identifier in externalIds", `{"type":"track","messageId":"m1","event":"X","context":{"externalIds":[{"type":"loyalty_id","id":"L1"}]}}`,
			event.Track, "X", "", "", "loyalty:L1", `{}`, `{}`, `{"externalIds":[{"type":"loyalty_id","id":"L1"}]}`,
		},
		{
			"a user id that stands for nobody", `{"type":"track","messageId":"m1","event":" X ","userId":"null","anonymousId":"a1"}`,
			event.Track, "X", "", "a1", "anonymous:a1", `{}`, `{}`, `{}`,
		},
		{
			"escapes", `{"type":"track","messageId":"m1","event":"A\u0026B \"q\" \\ \/ \ud83d\ude00","userId":"u\u0031","properties":{"k\u0065y":"\n\t"}}`,
			event.Track, "A&B \"q\" \\ / 😀", "u1", "", "user:u1", `{"key":"\n\t"}`, `{}`, `{}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, who := good(t, tt.body, fromWeb)
			if e.Type != tt.typ || e.Name != tt.event || e.User != tt.user || e.Anon != tt.anon || who.String() != tt.who {
				t.Errorf("got %v %q user %q anon %q who %q", e.Type, e.Name, e.User, e.Anon, who)
			}
			if asJSON(e.Props) != tt.props || asJSON(e.Traits) != tt.traits || asJSON(e.Context) != tt.context {
				t.Errorf("props %s traits %s context %s", asJSON(e.Props), asJSON(e.Traits), asJSON(e.Context))
			}
			if e.At != noon || e.Raw != 0 || e.Source != "web" || e.Trust != event.Public || e.Origin != event.Live {
				t.Errorf("at %v raw %v source %q trust %v origin %v", e.At, e.Raw, e.Source, e.Trust, e.Origin)
			}
			stored, err := event.Decode(string(e.Append(nil)))
			if err != nil || stored != e {
				t.Errorf("the event does not survive storing: %v\n%+v\n%+v", err, e, stored)
			}
		})
	}
}

func TestWhatIsRejectedSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	const order = `{"type":"track","messageId":"m1","userId":"u1","event":"Order Completed","properties":`
	long := strings.Repeat("x", 300)
	tests := []struct{ name, body, field, reason string }{
		{"no type", `{"messageId":"m1","userId":"u1"}`, "type", "track, identify"},
		{"an unknown type", `{"type":"merge","messageId":"m1","userId":"u1"}`, "type", "track, identify"},
		{"the product's own type", `{"type":"system","messageId":"m1","event":"Tick","userId":"u1"}`, "type", "track, identify"},
		{"a type that is no string", `{"type":["track"],"messageId":"m1","userId":"u1"}`, "type", "track, identify"},
		{"no event name", `{"type":"track","messageId":"m1","userId":"u1"}`, "event", "needs the name"},
		{"an empty event name", `{"type":"track","messageId":"m1","event":"  ","userId":"u1"}`, "event", "needs the name"},
		{"an event name that is a number", `{"type":"track","messageId":"m1","event":5,"userId":"u1"}`, "event", "a string"},
		{"a long event name", `{"type":"track","messageId":"m1","event":"` + long + `","userId":"u1"}`, "event", "200 bytes"},
		{"the product's own name", `{"type":"track","messageId":"m1","event":"Message Clicked","userId":"u1"}`, "event", "own"},
		{"the product's own name in other letters", `{"type":"track","messageId":"m1","event":"\u006dESSAGE clicked","userId":"u1"}`, "event", "own"},
		{"a long messageId", `{"type":"track","messageId":"` + long[:101] + `","event":"X","userId":"u1"}`, "messageId", "100 bytes"},
		{"a messageId that is an object", `{"type":"track","messageId":{},"event":"X","userId":"u1"}`, "messageId", "a string"},
		{"a long userId", `{"type":"track","messageId":"m1","event":"X","userId":"` + long + `"}`, "userId", "256 bytes"},
		{"a userId that is a bool", `{"type":"track","messageId":"m1","event":"X","userId":true}`, "userId", "a string"},
		{"a long anonymousId", `{"type":"track","messageId":"m1","event":"X","anonymousId":"` + long + `"}`, "anonymousId", "256 bytes"},
		{"nobody", `{"type":"track","messageId":"m1","event":"X"}`, "userId", "identifies nobody"},
		{"only values that stand for nobody", `{"type":"track","messageId":"m1","event":"X","userId":"undefined","anonymousId":"00000000-0000-0000-0000-000000000000"}`, "userId", "identifies nobody"},
		{"an e-mail in the properties of a public call", `{"type":"track","messageId":"m1","event":"X","properties":{"email":"ada@shop.example"}}`, "userId", "identifies nobody"},
		{"a timestamp that is none", `{"type":"track","messageId":"m1","event":"X","userId":"u1","timestamp":"yesterday"}`, "timestamp", "a time such as"},
		{"a timestamp that is an object", `{"type":"track","messageId":"m1","event":"X","userId":"u1","timestamp":{}}`, "timestamp", "a time such as"},
		{"an originalTimestamp that is none", `{"type":"track","messageId":"m1","event":"X","userId":"u1","originalTimestamp":"2026-02-30T00:00:00Z"}`, "originalTimestamp", "a time such as"},
		{"a sentAt that is none", `{"type":"track","messageId":"m1","event":"X","userId":"u1","sentAt":"now"}`, "sentAt", "a time such as"},
		{"properties that are a list", `{"type":"track","messageId":"m1","event":"X","userId":"u1","properties":[1]}`, "properties", "an object"},
		{"traits that are a string", `{"type":"identify","messageId":"m1","userId":"u1","traits":"x"}`, "traits", "an object"},
		{"a context that is a number", `{"type":"track","messageId":"m1","event":"X","userId":"u1","context":1}`, "context", "an object"},
		{"an alias without its previous id", `{"type":"alias","messageId":"m1","userId":"u1"}`, "previousId", "needs a previousId"},
		{"an alias whose previous id is an object", `{"type":"alias","messageId":"m1","userId":"u1","previousId":{}}`, "previousId", "needs a previousId"},
		{"a group without its id", `{"type":"group","messageId":"m1","userId":"u1","groupId":""}`, "groupId", "needs a groupId"},
		{"a long groupId", `{"type":"group","messageId":"m1","userId":"u1","groupId":"` + long + `"}`, "groupId", "256 bytes"},
		{"an order without its number", order + `{"total":1}}`, "properties.order_id", "needs its number"},
		{"an order with an odd price", order + `{"order_id":"o1","products":[{"sku":"a"},{"sku":"b","price":"ten"}]}}`, "properties.products[1].price", "not an amount"},
		{"an order with an odd currency", order + `{"order_id":"o1","currency":"pounds"}}`, "properties.currency", "three letters"},
		{"a refund of more than there is money", strings.Replace(order, "Completed", "Refunded", 1) + `{"order_id":"o1","total":1e17}}`, "properties.total", "too large"},
		{"a message that is a list", `[1]`, "", "a JSON object"},
		{"a message that is a word", `null`, "", "a JSON object"},
		{"a message that is not JSON", `{"type":"track","messageId":"m1" "userId":"u1"}`, "", "not JSON: invalid character '\"' after object key:value pair at byte 34"},
		{"a message over the limit", `{"type":"track","messageId":"m1","event":"X","userId":"u1","properties":{"text":"` + strings.Repeat("x", 33<<10) + `"}}`, "", "at most 32768"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := bad(t, tt.body, fromWeb)
			if r.Field != tt.field || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("rejected for %q: %q, want %q: … %q …", r.Field, r.Reason, tt.field, tt.reason)
			}
			if !strings.HasPrefix(tt.body, string(r.Raw)) || len(r.Raw) == 0 || r.From.Source != "web" {
				t.Errorf("kept %q of %q", r.Raw, r.From.Source)
			}
		})
	}
}

func TestARejectKeepsTheMessageIDAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	r := bad(t, `{"messageId":"m7","event":"X"}`, intake.Defaults{Type: event.Track, Received: noon, Trust: event.Server, Source: "till"})
	if r.MessageID != "m7" {
		t.Errorf("messageId %q, want m7", r.MessageID)
	}
	mended := strings.Replace(string(r.Raw), `"event"`, `"userId":"u1","event"`, 1)
	e, _ := good(t, mended, r.From)
	if e.ID != "m7" || e.At != noon || e.Trust != event.Server || e.Source != "till" {
		t.Errorf("the replay gave %+v", e)
	}
}

func TestASecretKeyMaySendWhatAPublicOneMayNot(t *testing.T) {
	t.Parallel()
	server := intake.Defaults{Received: noon, Trust: event.Server, MaxEvent: intake.MaxEventServer}
	e, _ := good(t, `{"type":"track","messageId":"m1","event":"Message Clicked","userId":"u1"}`, server)
	if e.Name != event.MessageClicked || e.Type != event.Track || e.Trust != event.Server {
		t.Errorf("got %+v", e)
	}
	_, who := good(t, `{"type":"track","messageId":"m1","event":"X","properties":{"email":"ada@shop.example"}}`, server)
	if who.Kind != identity.Email {
		t.Errorf("a till's customer is %v, want the e-mail on the receipt", who)
	}
	good(t, `{"type":"track","messageId":"m1","event":"X","userId":"u1","properties":{"text":"`+strings.Repeat("x", 200<<10)+`"}}`, server)
	if r := bad(t, `{"type":"system","messageId":"m1","event":"Tick","userId":"u1"}`, server); r.Field != "type" {
		t.Errorf("a system call was rejected for %q, want type", r.Field)
	}
}

func TestConsentFromAPublicKeyIsStoredAsSuch(t *testing.T) {
	t.Parallel()
	e, _ := good(t, `{"type":"track","messageId":"m1","event":"Consent Changed","userId":"u1","properties":{"channel":"email","state":"granted"}}`, fromWeb)
	if e.Name != event.ConsentChanged || e.Trust != event.Public {
		t.Errorf("got %q with trust %v", e.Name, e.Trust)
	}
}

func TestThePathSaysTheTypeWhateverTheMessageSays(t *testing.T) {
	t.Parallel()
	e, _ := good(t, `{"type":"identify","messageId":"m1","name":"Home","anonymousId":"a1"}`, intake.Defaults{Type: event.Page, Received: noon})
	if e.Type != event.Page || e.Props.Text("name") != "Home" {
		t.Errorf("got %v %s", e.Type, asJSON(e.Props))
	}
}

func TestAMessageWithoutAnIDGetsARandomOne(t *testing.T) {
	t.Parallel()
	seen := map[event.ID]bool{}
	for _, id := range []string{`null`, `""`, `null`} {
		e, _ := good(t, `{"type":"track","event":"X","userId":"u1","messageId":`+id+`}`, fromWeb)
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(string(e.ID)) || seen[e.ID] {
			t.Errorf("id %q", e.ID)
		}
		seen[e.ID] = true
	}
}

// The edge keeps no memory: that the second counts for nothing is the profile's.
func TestTheSameMessageIsTakenTwice(t *testing.T) {
	t.Parallel()
	one := `{"type":"track","messageId":"m1","event":"X","userId":"u1","properties":{"n":1}}`
	other := strings.Replace(one, `"n":1`, `"n":2`, 1)
	out, err := intake.DecodeBatch([]byte(`{"batch":[`+one+`,`+one+`,`+other+`]}`), fromWeb)
	if err != nil || len(out) != 3 {
		t.Fatal(out, err)
	}
	if out[0].Event != out[1].Event || out[2].Event.ID != out[0].Event.ID || out[2].Who != out[0].Who {
		t.Errorf("the same message became two events: %+v", out)
	}
}

func TestABadMessageLeavesItsNeighboursAlone(t *testing.T) {
	t.Parallel()
	fine := func(id string) string {
		return `{"type":"track","messageId":"` + id + `","event":"X","userId":"u1"}`
	}
	wrong := []string{
		`{"type":"track","messageId":"m","event":"X"}`,
		`{"type":"track","messageId":"m","event":"X","userId":"u1","properties":{"n":NaN}}`,
		`{"type":"track","messageId":"m","event":"X","userId":"u1","properties":{"n":[1}]}`,
		`{"type":"track" "messageId":"m"}`,
		`{"a":{"b":[}]}`,
		`null`, `17`, `"text"`, `[]`, `{}`,
		`{"type":"track","messageId":"m","event":"X","userId":"u1","properties":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat(`}`, 300) + `}`,
	}
	for _, w := range wrong {
		out, err := intake.DecodeBatch([]byte(` { "batch" : [ `+fine("m0")+` , `+w+` , `+fine("m2")+` ] } `), fromWeb)
		if err != nil || len(out) != 3 {
			t.Errorf("%.60s: %v, %d results", w, err, len(out))
			continue
		}
		if out[1].Reject == nil || out[1].Reject.Index != 1 || string(out[1].Reject.Raw) != w {
			t.Errorf("%.60s: %+v, want a reject", w, out[1])
		}
		if out[0].Event.ID != "m0" || out[2].Event.ID != "m2" || out[0].Reject != nil || out[2].Reject != nil {
			t.Errorf("%.60s: its neighbours became %+v and %+v", w, out[0], out[2])
		}
	}
}

func TestABatchSaysThingsForAllItsMessages(t *testing.T) {
	t.Parallel()
	body := `{"writeKey":"rp_w_x","sentAt":"2026-03-01T11:00:00Z","context":{"library":{"name":"old"}},"context":{"library":{"name":"ours"}},"batch":[
		{"type":"track","messageId":"m0","event":"X","userId":"u1","timestamp":"2026-03-01T10:50:00Z"},
		{"type":"track","messageId":"m1","event":"X","userId":"u1","timestamp":"2026-03-01T10:50:00Z","sentAt":"2026-03-01T10:51:00Z","context":{}}]}`
	out, err := intake.DecodeBatch([]byte(body), fromWeb)
	if err != nil {
		t.Fatal(err)
	}
	if got := out[0].Event.Context.Text("library.name"); got != "ours" {
		t.Errorf("the first message's context names %q, want the batch's, the last said", got)
	}
	if out[0].Event.At != noon-10*60_000 {
		t.Errorf("the first message happened at %v, want 11:50", out[0].Event.At)
	}
	if out[1].Event.Context != "" || out[1].Event.At != noon-60_000 {
		t.Errorf("the second message says for itself: context %s, at %v", asJSON(out[1].Event.Context), out[1].Event.At)
	}
}

func TestABodyThatIsNoBatchIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{},`, intake.MaxBatch) + `{}`
	tests := []struct {
		name, body string
		kind       fault.Kind
		says       string
	}{
		{"nothing", ``, fault.Invalid, "not JSON"},
		{"a list", `[{}]`, fault.Invalid, "not JSON"},
		{"cut off", `{"batch":[{"type":"track"`, fault.Invalid, "unexpected end of JSON input at byte"},
		{"cut off in a string", `{"batch":[{"type":"tra`, fault.Invalid, "unexpected end"},
		{"something behind it", `{"batch":[]}x`, fault.Invalid, "invalid character 'x' after top-level value at byte 13"},
		{"no batch", `{"sentAt":"x"}`, fault.Invalid, "batch: a list of messages"},
		{"a batch that is an object", `{"batch":{}}`, fault.Invalid, "batch: a list of messages"},
		{"a colon too few", `{"batch"[]}`, fault.Invalid, "at byte 9"},
		{"a bad context", `{"batch":[],"context":{"n":1e999}}`, fault.Invalid, "context.n: a number too large"},
		{"a context that is no JSON", `{"batch":[],"context":{"n":}}`, fault.Invalid, "context: not JSON"},
		{"too many messages", `{"batch":[` + many + `]}`, fault.TooLarge, "more than 2500"},
	}
	for _, tt := range tests {
		out, err := intake.DecodeBatch([]byte(tt.body), fromWeb)
		kind, message := fault.Of(err)
		if err == nil || kind != tt.kind || !strings.Contains(message, tt.says) || out != nil {
			t.Errorf("%s: %v (%v), want %v … %q …", tt.name, err, kind, tt.kind, tt.says)
		}
	}
	out, err := intake.DecodeBatch([]byte(`{"batch":[`+many[3:]+`]}`), fromWeb)
	if err != nil || len(out) != intake.MaxBatch {
		t.Errorf("exactly as many as allowed: %d, %v", len(out), err)
	}
}

func TestWhenItHappened(t *testing.T) {
	t.Parallel()
	const day = event.Time(86_400_000)
	tests := []struct {
		name, stamp, sent string
		at, raw           event.Time
	}{
		{"the client's clock is right", "2026-03-01T11:59:00Z", "2026-03-01T12:00:00Z", noon - 60_000, noon - 60_000},
		{"the client's clock is a day late", "2026-02-28T11:59:00Z", "2026-02-28T12:00:00Z", noon - 60_000, noon - day - 60_000},
		{"the client's clock is a year early", "2027-03-01T11:59:00Z", "2027-03-01T12:00:00Z", noon - 60_000, noon + 365*day - 60_000},
		{"it does not say when it was sent", "2026-02-01T12:00:00Z", "", noon - 28*day, noon - 28*day},
		{"it happens after it was heard", "2026-03-02T12:00:00Z", "", noon, noon + day},
		{"it was sent before it happened", "2026-03-01T12:00:00Z", "2026-03-01T11:00:00Z", noon, noon},
		{"the clock was never set", "1970-01-02T00:00:00Z", "", 946_684_800_000, day},
		{"an order of long ago", "2011-12-09T12:50:00Z", "2026-03-01T12:00:00Z", 1_323_435_000_000, 1_323_435_000_000},
		{"it says nothing", "", "", noon, 0},
		{"it says only when it was sent", "", "2026-03-01T11:00:00Z", noon, 0},
	}
	for _, tt := range tests {
		body := fmt.Sprintf(`{"type":"track","messageId":"m1","event":"X","userId":"u1","timestamp":%q,"sentAt":%q}`, tt.stamp, tt.sent)
		e, _ := good(t, body, fromWeb)
		if e.At != tt.at || e.Raw != tt.raw {
			t.Errorf("%s: at %v raw %v, want %v and %v", tt.name, e.At, e.Raw, tt.at, tt.raw)
		}
	}
	e, _ := good(t, `{"type":"track","messageId":"m1","event":"X","userId":"u1","originalTimestamp":"2026-03-01T10:00:00Z"}`,
		intake.Defaults{Received: noon, SentAt: noon - 3_600_000})
	if e.At != noon-3_600_000 {
		t.Errorf("with originalTimestamp and a header it happened at %v, want 11:00", e.At)
	}
}
