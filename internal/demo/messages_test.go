package demo_test

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	retail "rapport/examples/online-retail"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/demo"
	"rapport/internal/fault"
)

// year is the whole file, read once for all tests.
var year = sync.OnceValues(retail.Invoices)

func invoices(t testing.TB) []retail.Invoice {
	t.Helper()
	all, err := year()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// message is what the tests look at in a message, as encoding/json reads it.
type message struct {
	Type, MessageID, Timestamp, UserID, AnonymousID, Event string
	Traits                                                 map[string]any
	Properties                                             struct {
		OrderID  string `json:"order_id"`
		Currency string
		Revenue  json.Number
		Products []struct {
			ProductID string `json:"product_id"`
			SKU       string
			Name      string
			Category  string
			Price     json.Number
			Quantity  json.Number
		}
		Channel, Purpose, State, Evidence, Wording string
		Invented                                   bool
	}
	Context struct {
		Library struct{ Name string }
		Channel string
	}
}

func read(t testing.TB, b []byte) message {
	t.Helper()
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return m
}

// object returns an order's properties as the tracking API hands them to the core.
func (m message) object() event.Object {
	p := m.Properties
	lines := make([]event.Value, len(p.Products))
	for i, l := range p.Products {
		lines[i] = event.Nested(new(event.Builder).SetText("product_id", l.ProductID).SetText("sku", l.SKU).SetText("name", l.Name).SetText("category", l.Category).
			Set("price", event.Value{Kind: event.Number, Raw: l.Price.String()}).
			Set("quantity", event.Value{Kind: event.Number, Raw: l.Quantity.String()}).Object())
	}
	return new(event.Builder).SetText("order_id", p.OrderID).SetText("currency", p.Currency).
		Set("revenue", event.Value{Kind: event.Number, Raw: p.Revenue.String()}).
		Set("products", event.ListOf(lines...)).Object()
}

func TestTheMessagesOfTheYearAddUpToTheFile(t *testing.T) {
	t.Parallel()
	var sum money.Micros
	spent := map[string]money.Micros{}
	seen := map[string]bool{}
	known := map[string]int{} // messages about the person so far
	counts := map[string]int{}
	var before event.Time
	longest, lines, anonymous := 0, 0, 0
	for at, b := range demo.Messages(1, invoices(t)) {
		m := read(t, b)
		if at < before || m.Timestamp != at.String() {
			t.Fatalf("message %s is of %s, after one of %s and handed out as of %s", m.MessageID, m.Timestamp, before, at)
		}
		before = at
		if seen[m.MessageID] {
			t.Fatalf("messageId %s comes twice", m.MessageID)
		}
		seen[m.MessageID] = true
		longest = max(longest, len(b))
		if m.Context.Library.Name != "online-retail-replay" || m.Context.Channel != "shop" {
			t.Fatalf("context of %s = %+v", m.MessageID, m.Context)
		}
		counts[m.Type+" "+m.Event]++
		if !event.IsOrder(m.Event) {
			known[m.UserID]++
			continue
		}
		if m.UserID != "" && known[m.UserID] != 3 {
			t.Fatalf("order %s comes after %d messages about customer %s, want an identify and two consents", m.Properties.OrderID, known[m.UserID], m.UserID)
		}
		if m.UserID == "" {
			anonymous++
			if m.AnonymousID != "invoice-"+m.Properties.OrderID {
				t.Fatalf("order %s without a customer is of %q", m.Properties.OrderID, m.AnonymousID)
			}
		}
		o, err := event.OrderOf(m.Event, m.object())
		if err != nil {
			t.Fatalf("order %s: %v", m.Properties.OrderID, err)
		}
		var of money.Micros
		var units int64
		for _, l := range o.Lines {
			of += l.Net
			units += l.Quantity
			if m.Event == event.OrderCompleted && l.Quantity < 0 {
				t.Errorf("order %s has a line of %d thousandths of a piece", o.ID, l.Quantity)
			}
		}
		if strings.HasPrefix(o.ID, "A") && o.Net < 0 {
			units = -units // the two "bad debt" entries: one piece at a price below zero
		}
		if of != o.Net || units != o.Units || o.Currency != "GBP" {
			t.Errorf("order %s: net %s of lines %s, units %d of lines %d, %s", o.ID, o.Net, of, o.Units, units, o.Currency)
		}
		sum += o.Net
		lines += len(o.Lines)
		spent[m.UserID] += o.Net
	}
	if sum.String() != "9747747.934" || lines != 541_909 {
		t.Errorf("orders of %d lines add up to %s, want 541,909 and 9747747.934", lines, sum)
	}
	want := map[string]int{
		"identify ": 4_372, "track Consent Changed": 2 * 4_372,
		"track Order Completed": 25_900 - 3_836 - 1_336 - 2, "track Order Refunded": 3_836 + 1_336 + 2,
	}
	for name, n := range want {
		if counts[name] != n {
			t.Errorf("%d × %s, want %d", counts[name], name, n)
		}
	}
	if len(counts) != len(want) || len(spent) != 4_373 {
		t.Errorf("messages %v of %d customers, want 4,372 and nobody", counts, len(spent)-1)
	}
	for customer, want := range map[string]string{
		"12346": "0.00", // bought 74,215 jars and brought them all back
		"14646": "279489.02", "18102": "256438.49", "14911": "132572.62", "16446": "2.90", "": "1447682.12",
	} {
		if got := spent[customer].String(); got != want {
			t.Errorf("customer %q spent %s, want %s", customer, got, want)
		}
	}
	if longest > demo.MaxMessage {
		t.Errorf("the longest message has %d bytes, want at most %d", longest, demo.MaxMessage)
	}
	t.Logf("%d messages, the longest of %d bytes; %d invoices without a customer", len(seen), longest, anonymous)
}

func TestAMessageIsWhatAShopWouldSend(t *testing.T) {
	t.Parallel()
	v := retail.Invoice{
		Number: "540540", Customer: "14911", Country: "EIRE", At: 1_291_212_300_000,
		Lines: []retail.Line{
			{SKU: "85071C", Description: `CHARLIE+LOLA"EXTREMELY BUSY" SIGN`, Quantity: 6, Price: 2_550_000, Product: true},
			{SKU: "POST", Description: "POSTAGE", Quantity: 1, Price: 18_000_000},
		},
	}
	var got []string
	for _, b := range demo.Messages(1, []retail.Invoice{v}) {
		got = append(got, string(b))
	}
	if len(got) != 4 {
		t.Fatalf("%d messages, want 4: %q", len(got), got)
	}
	const want = `{"type":"track","messageId":"order-540540","timestamp":"2010-12-01T14:05:00.000Z","userId":"14911","event":"Order Completed",` +
		`"properties":{"order_id":"540540","currency":"GBP","revenue":33.30,"products":[` +
		`{"product_id":"85071C","sku":"85071C","name":"CHARLIE+LOLA\"EXTREMELY BUSY\" SIGN","category":"signs","price":2.55,"quantity":6},` +
		`{"product_id":"POST","sku":"POST","name":"POSTAGE","category":"charges","price":18.00,"quantity":1}]},` +
		`"context":{"library":{"name":"online-retail-replay"},"channel":"shop"}}`
	if got[3] != want {
		t.Errorf("order = %s\nwant    %s", got[3], want)
	}
	id := read(t, []byte(got[0]))
	if id.Type != "identify" || id.UserID != "14911" || id.Traits["email"] != "customer-14911@shop.example" ||
		id.Traits["country"] != "IE" || id.Traits["timezone"] != "Europe/Dublin" || id.Traits["invented"] != true {
		t.Errorf("identify = %s", got[0])
	}
	for i, purpose := range []string{"marketing", "track.email"} {
		c := read(t, []byte(got[1+i]))
		p := c.Properties
		if c.Event != "Consent Changed" || p.Channel != "email" || p.Purpose != purpose || p.State != "granted" && p.State != "denied" ||
			!strings.HasPrefix(p.Evidence, "invented by rule: ") || p.Wording != "demo-1" || !p.Invented {
			t.Errorf("consent = %s", got[1+i])
		}
	}
}

func TestMoneyBackIsARefundWhateverTheNumberSays(t *testing.T) {
	t.Parallel()
	line := func(quantity int64, price money.Micros) []retail.Line {
		return []retail.Line{{SKU: "1", Quantity: quantity, Price: price}}
	}
	for name, c := range map[string]struct {
		v    retail.Invoice
		want bool
	}{
		"an order":             {retail.Invoice{Number: "536365", Lines: line(6, money.One)}, false},
		"a return":             {retail.Invoice{Number: "C536379", Return: true, Lines: line(-1, money.One)}, true},
		"a bad debt":           {retail.Invoice{Number: "A563186", Lines: line(1, -money.One)}, true},
		"a debt recovered":     {retail.Invoice{Number: "A563185", Lines: line(1, money.One)}, false},
		"stock written off":    {retail.Invoice{Number: "536589", Lines: line(-10, 0)}, true},
		"stock found":          {retail.Invoice{Number: "536414", Lines: line(56, 0)}, false},
		"a return for nothing": {retail.Invoice{Number: "C536548", Return: true, Lines: line(1, 0)}, true},
	} {
		if got := demo.IsRefund(c.v); got != c.want {
			t.Errorf("%s: IsRefund = %v", name, got)
		}
	}
}

func TestOneSeedSaysTheSameTwice(t *testing.T) {
	t.Parallel()
	some := invoices(t)[:400]
	all := func(seed uint64) []byte {
		var b []byte
		for _, m := range demo.Messages(seed, some) {
			b = append(append(b, m...), '\n')
		}
		return b
	}
	if !bytes.Equal(all(7), all(7)) {
		t.Error("two runs with one seed differ")
	}
	if bytes.Equal(all(7), all(8)) {
		t.Error("two seeds give the same people")
	}
	n := 0
	for range demo.Messages(1, some) {
		if n++; n == 5 {
			break
		}
	}
}

func TestBatchesHoldEveryMessageOnceAndInOrder(t *testing.T) {
	t.Parallel()
	var want []string
	var messages [][]byte
	for _, m := range demo.Messages(1, invoices(t)[:1500]) {
		messages = append(messages, m)
		want = append(want, read(t, m).MessageID)
	}
	for _, size := range []int{100 << 10, 200 << 10, demo.MaxBatch} {
		var got []string
		bodies := 0
		for body, err := range demo.Batches(slices.Values(messages), size, 1_291_212_300_000) {
			if err != nil {
				t.Fatal(err)
			}
			if len(body) > size {
				t.Errorf("a body of %d bytes, want at most %d", len(body), size)
			}
			var b struct {
				Batch  []message
				SentAt string
			}
			if err := json.Unmarshal(body, &b); err != nil {
				t.Fatal(err)
			}
			if b.SentAt != "2010-12-01T14:05:00.000Z" {
				t.Errorf("sentAt = %q", b.SentAt)
			}
			for _, m := range b.Batch {
				got = append(got, m.MessageID)
			}
			bodies++
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d bodies of at most %d bytes hold %d messages, want %d in their order", bodies, size, len(got), len(want))
		}
		if bodies < 2 {
			t.Errorf("%d bodies of at most %d bytes: the limit was not met", bodies, size)
		}
	}
}

func TestABatchKeepsBothLimits(t *testing.T) {
	t.Parallel()
	small := func(n int) iter.Seq[[]byte] {
		return func(yield func([]byte) bool) {
			for range n {
				if !yield([]byte(`{}`)) {
					return
				}
			}
		}
	}
	var sizes []int
	for body, err := range demo.Batches(small(demo.MaxBatchMessages+1), demo.MaxBatch, 0) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, bytes.Count(body, []byte(`{}`)))
	}
	if !slices.Equal(sizes, []int{demo.MaxBatchMessages, 1}) {
		t.Errorf("bodies of %v messages", sizes)
	}
	for body, err := range demo.Batches(small(1), len(`{"batch":[{}]}`), 0) {
		if err != nil || string(body) != `{"batch":[{}]}` {
			t.Errorf("a body that just fits = %s, %v", body, err)
		}
	}
	var kinds []bool
	for _, err := range demo.Batches(small(2), len(`{"batch":[{}]}`)-1, 0) {
		kinds = append(kinds, fault.Is(err, fault.TooLarge))
	}
	if !slices.Equal(kinds, []bool{true}) {
		t.Errorf("a message that does not fit: TooLarge = %v, want once", kinds)
	}
	for range demo.Batches(small(0), 100, 0) {
		t.Error("no messages make a body")
	}
}

func BenchmarkMessages(b *testing.B) {
	all := invoices(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, m := range demo.Messages(1, all) {
			n += len(m)
		}
		b.SetBytes(int64(n))
	}
}
