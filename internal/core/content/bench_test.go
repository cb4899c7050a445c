package content_test

import (
	"fmt"
	"os"
	"testing"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// cart returns the mail of a basket that was left: twenty products, a layout,
// blocks, a brand; HTML and, unless htmlOnly is set, text.
func cart(t testing.TB, htmlOnly bool) (*content.Template, content.Vars, content.Env) {
	t.Helper()
	layout, err := os.ReadFile("../../../examples/shop/layouts/default.html.liquid")
	if err != nil {
		t.Fatal(err)
	}
	src := content.Sources{
		Subject: "{{ customer.first_name }}, your basket waits", Preheader: "{{ trigger.products.size }} things, {{ trigger.total | money: shop.currency }}",
		HTML: `<h1 style="color:{{ brand.colors.accent }}">Hello {{ customer.first_name }}</h1><p>You left these in your basket.</p>
<table role="presentation" width="100%">{% for item in trigger.products %}<tr>{% render 'card', item: item %}</tr>{% endfor %}</table>
{% render 'button', url: trigger.url, label: "Go on" %}<p>{% if trigger.total > 50 %}Delivery is free.{% else %}Delivery is {{ 3.5 | money: shop.currency }}.{% endif %}</p>`,
		HTMLBlocks: blocks("card", `<td style="padding:8px"><a href="{{ item.url }}"><img src="{{ item.image_url }}" alt="{{ item.name }}" width="80"></a></td><td style="color:{{ brand.colors.accent }}">{{ item.name }}</td><td align="right">{% if item.quantity > 1 %}{{ item.quantity }} × {% endif %}{{ item.price | money: shop.currency }}</td>`,
			"button", `<table role="presentation"><tr><td style="background:{{ brand.colors.accent }}"><a href="{{ url }}" style="color:#ffffff">{{ label }}</a></td></tr></table>`),
		HTMLLayout: content.File{Body: string(layout)}, Fallback: map[string]string{"customer.first_name": "there"},
	}
	if !htmlOnly {
		src.Text = "Hello {{ customer.first_name }},\n\n{% for item in trigger.products %}- {{ item.name }} {{ item.price | money: shop.currency }}\n{% endfor %}\n{{ trigger.url }}\n"
		src.TextLayout = content.File{Body: "{{ content }}\n--\n{{ unsubscribe_url }}\n{{ shop.postal }}\n"}
	}
	tpl, err := content.Compile("cart", src)
	if err != nil {
		t.Fatal(err)
	}
	var lines []event.Value
	for i := range 20 {
		var b event.Builder
		b.SetText("product_id", fmt.Sprint("P", i)).SetText("sku", fmt.Sprint("LAMP-", i)).SetText("category", "lighting").SetText("name", fmt.Sprint("Brass & glass lamp ", i)).
			Set("price", event.Num(29.95+float64(i))).Set("quantity", event.Int(int64(1+i%3))).SetText("url", fmt.Sprint("https://shop.example/products/lamp-", i)).SetText("image_url", fmt.Sprint("https://cdn.shop.example/lamp-", i, ".jpg"))
		lines = append(lines, event.Nested(b.Object()))
	}
	var b event.Builder
	b.SetText("cart_id", "c1").Set("total", event.Num(812.5)).SetText("url", "https://shop.example/cart/c1").Set("products", event.ListOf(lines...))
	vars := content.Vars{"customer": map[string]any{"first_name": event.Text("Ada"), "email": "ada@people.example"}, "trigger": b.Object()}
	return tpl, vars, content.Env{Shared: content.Vars{
		"shop": map[string]any{"name": "The Shop", "currency": "GBP", "postal": "1 Example Street"}, "locale": "en", "brand": map[string]any{
			"colors": map[string]any{"accent": "#8a3b1f", "paper": "#fffdf9", "ground": "#f4f1ec", "ink": "#33302c", "quiet": "#6b645b"},
			"fonts":  map[string]any{"body": "Georgia, serif", "small": "Arial, sans-serif"},
		}, "reason": "You left a basket",
		"unsubscribe_url": "https://news.shop.example/u/0123456789abcdef0123456789abcdef", "view_url": "https://news.shop.example/v/t", "preferences_url": "https://news.shop.example/p/0123456789abcdef0123456789abcdef",
	}}
}

func TestTheCartOfTheBenchmarkIsWhole(t *testing.T) {
	t.Parallel()
	tpl, vars, env := cart(t, false)
	out, err := tpl.Render(vars, env)
	env.Scratch = &content.Scratch{}
	for range 3 {
		if again, err := tpl.Render(vars, env); err != nil || again != out {
			t.Fatal(err, "with memory that was used before it is another message")
		}
	}
	if err != nil || len(out.HTML) < 8<<10 || len(out.Text) < 700 || out.Subject != "Ada, your basket waits" || out.Preheader != "20 things, £812.50" {
		t.Errorf("%d and %d bytes, %q, %q, %v", len(out.HTML), len(out.Text), out.Subject, out.Preheader, err)
	}
}

// BenchmarkCart is what DESIGN bounds: at most 25 µs for the mail of a basket.
func BenchmarkCart(b *testing.B) {
	for name, htmlOnly := range map[string]bool{"html and text": false, "html alone": true} {
		b.Run(name, func(b *testing.B) {
			tpl, vars, env := cart(b, htmlOnly)
			env.Scratch = &content.Scratch{}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tpl.Render(vars, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHostile shows how long it takes until hostile templates are cut off;
// the budgets themselves are what the tests hold.
func BenchmarkHostile(b *testing.B) {
	vars := hostileVars()
	for name, source := range hostile {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := content.Compile("hostile", content.Sources{HTML: source, Text: "{{ 1 }}", HTMLBlocks: hostileBlocks()})
				if err == nil {
					_, err = c.Render(vars, content.Env{})
				}
				if kind, _ := fault.Of(err); err == nil || kind != fault.TooLarge && kind != fault.Invalid {
					b.Fatal(err)
				}
			}
		})
	}
}
