package content_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
)

// golden is one case of the golden suite, which says what Shopify's Liquid does.
type golden struct {
	Name      string
	Template  string
	Data      json.RawMessage
	Result    *string
	Results   []string
	Invalid   bool
	Templates map[string]string
	Tags      []string
}

// strictest marks the cases that say what Shopify's newest, strictest parser
// refuses and the older ones read as far as they understand. Each is held to its
// own rule.
const strictest = "strict2"

// object reads JSON with its fields in their order.
func object(t *testing.T, raw []byte) event.Object {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return value(t, d).Object()
}

func value(t *testing.T, d *json.Decoder) event.Value {
	t.Helper()
	tok, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '[' {
			var items []event.Value
			for d.More() {
				items = append(items, value(t, d))
			}
			d.Token()
			return event.ListOf(items...)
		}
		var b event.Builder
		for d.More() {
			key, _ := d.Token()
			b.Set(key.(string), value(t, d))
		}
		d.Token()
		return event.Nested(b.Object())
	case string:
		return event.Text(tok)
	case json.Number:
		return event.Value{Kind: event.Number, Raw: tok.String()}
	case bool:
		return event.Yes(tok)
	}
	return event.Value{}
}

func TestTheGoldenSuiteOfLiquid(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/golden_liquid.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Tests []golden }
	if err := json.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	ran, failed := 0, 0
	for _, g := range suite.Tests {
		ran++
		blocks := content.Blocks{}
		for name, body := range g.Templates {
			blocks[name] = content.File{Spot: content.Spot{Name: name}, Body: body}
		}
		vars := content.Vars{}
		if len(g.Data) > 0 {
			vars = content.ObjectVars(object(t, g.Data))
		}
		got, err := content.Lax(g.Template, blocks, vars, slices.Contains(g.Tags, strictest))
		want := g.Results
		if g.Result != nil {
			want = append(want, *g.Result)
		}
		ok := g.Invalid && err != nil || !g.Invalid && err == nil && slices.Contains(want, got)
		if !ok {
			failed++
			t.Errorf("%s\n  template %q\n  data %.200s\n  got  %q, %v\n  want %q, invalid %t", g.Name, g.Template, g.Data, got, err, strings.Join(want, "|"), g.Invalid)
		}
	}
	t.Logf("%d of %d pass", ran-failed, ran)
	if ran != 1054 {
		t.Errorf("only %d cases ran", ran)
	}
}
