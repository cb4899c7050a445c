package content_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// A price that is shown at once and one that is made a value first are the same
// words, whatever the number, the currency and the part.
func TestAPriceReadsTheSameHoweverItIsShown(t *testing.T) {
	t.Parallel()
	tpl, err := content.Compile("price", content.Sources{
		HTML: "<p>{{ trigger.price | money: shop.currency }}</p>|{% assign p = trigger.price %}<p>{{ p | money: shop.currency }}</p>",
		Text: "{{ trigger.price | money: shop.currency }}|{% assign p = trigger.price %}{{ p | money: shop.currency }}",
	})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,9})?(e[0-9])?`).Draw(t, "price")
		currency := rapid.SampledFrom([]string{"GBP", "EUR", "JPY", "CHF", "usd", "<b>", ""}).Draw(t, "currency")
		var b event.Builder
		b.Set("price", event.Value{Kind: event.Number, Raw: raw})
		out, err := tpl.Render(content.Vars{"trigger": b.Object()}, content.Env{Shared: content.Vars{"shop": map[string]any{"currency": currency}}})
		if err != nil {
			if !strings.Contains(err.Error(), "money") && !strings.Contains(err.Error(), "currency") {
				t.Fatalf("%s in %q: %v", raw, currency, err)
			}
			return
		}
		for _, part := range []string{strings.ReplaceAll(out.HTML, "\n", ""), strings.TrimSpace(out.Text)} {
			at, made, _ := strings.Cut(part, "|")
			if at != made {
				t.Fatalf("%s in %s is %q at once and %q as a value", raw, currency, at, made)
			}
		}
	})
}

func TestThePriceOfTheShopIsParsedAsAnyAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`[0-9]{0,20}\.?[0-9]{0,8}`).Draw(t, "amount")
		got, err := money.Parse(raw)
		want, wantErr := money.Parse("+" + raw) // the way with signs and exponents
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("%q is %v, %v; with a sign %v, %v", raw, got, err, want, wantErr)
		}
	})
}
