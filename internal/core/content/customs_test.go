package content_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"rapport/internal/core/content"
)

// The file is what ICU, which has its data from CLDR, writes: scripts/customs.mjs.
func TestSumsAndDatesAreWrittenAsCLDRSays(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/customs.json")
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		Amounts []string
		Locales map[string]struct {
			Plain []string
			Sums  map[string][]string
			Days  map[string][]string
		}
	}
	if err := json.Unmarshal(raw, &seen); err != nil || len(seen.Locales) < 50 {
		t.Fatal(len(seen.Locales), err)
	}
	write := func(source string, vars content.Vars, c *content.Customs) string {
		out, err := compile(t, content.Sources{Text: source}).Render(vars, content.Env{Customs: c})
		if err != nil {
			t.Fatal(err)
		}
		return out.Text
	}
	wrong := 0
	want := func(locale, what, got, want string) {
		if got != want {
			if wrong++; wrong < 30 {
				t.Errorf("%s: %s is %q, and by CLDR %q", locale, what, got, want)
			}
		}
	}
	for locale, of := range seen.Locales {
		c := content.CustomsOf(locale)
		if c == nil {
			t.Fatalf("nothing is known of %s", locale)
		}
		for i, amount := range seen.Amounts {
			want(locale, amount, write("{{ a | money }}", content.Vars{"a": amount}, c), of.Plain[i])
			for currency, texts := range of.Sums {
				want(locale, amount+" "+currency, write("{{ a | money: c }}", content.Vars{"a": amount, "c": currency}, c), texts[i])
			}
		}
		for day, texts := range of.Days {
			for i, style := range []string{"full", "long", "medium", "short"} {
				want(locale, day+" "+style, write("{{ d | date: s }}", content.Vars{"d": day, "s": style}, c), texts[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d are wrong", wrong)
	}
}

// Examples of the published charts, written down by hand.
func TestPublishedExamplesOfSumsAndDates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ locale, source, want string }{
		{"en", `{{ 1234.5 | money: "GBP" }}`, "£1,234.50"},
		{"en", `{{ 12 | money: "CHF" }}`, "CHF\u00a012.00"},
		{"en-IN", `{{ 1234567.8 | money: "INR" }}`, "₹12,34,567.80"},
		{"de", `{{ 1234.5 | money: "EUR" }}`, "1.234,50\u00a0€"},
		{"de_AT", `{{ 1234.5 | money: "EUR" }}`, "€\u00a01.234,50"},
		{"de-CH", `{{ 1234.5 | money: "CHF" }}`, "CHF\u00a01'234.50"},
		{"fr", `{{ 1234.5 | money: "EUR" }}`, "1\u202f234,50\u00a0€"},
		{"nl", `{{ -1234.5 | money: "EUR" }}`, "€\u00a0-1.234,50"},
		{"es", `{{ 1234.5 | money: "EUR" }}`, "1234,50\u00a0€"},
		{"es", `{{ 12345.5 | money: "EUR" }}`, "12.345,50\u00a0€"},
		{"pl", `{{ 1234.5 | money: "PLN" }}`, "1234,50\u00a0zł"},
		{"sv", `{{ -5 | money: "SEK" }}`, "−5,00\u00a0kr"},
		{"ja", `{{ 1234.5 | money: "JPY" }}`, "¥1,235"}, // nothing is known of it: as programs do
		{"no-NO", `{{ "2026-05-17" | date: "long" }}`, "17. mai 2026"},
		{"de", `{{ "2026-01-02" | date: "%A, %-d. %B %Y" }}`, "Freitag, 2. Januar 2026"},
		{"de", `{{ "2026-03-02" | date: "%b" }}`, "Mär"},
		{"fr", `{{ "2026-08-01" | date: "full" }}`, "samedi 1 août 2026"},
		{"pl", `{{ "2026-01-02" | date: "%-d %B %Y" }}`, "2 stycznia 2026"},
		{"pl", `{{ "2026-01-02" | date: "%B %Y" }}`, "styczeń 2026"},
		{"es", `{{ "2026-01-02" | date: "long" }}`, "2 de enero de 2026"},
		{"en-GB", `{{ "2026-01-02" | date: "short" }}`, "02/01/2026"},
		{"en-US", `{{ "2026-01-02" | date: "short" }}`, "1/2/26"},
		{"ca", `{{ "2026-04-15" | date: "long" }}`, "15 d’abril del 2026"},
		{"uk", `{{ "2026-04-15" | date: "%d %B" }}`, "15 квітня"},
		{"tlh", `{{ "2026-04-15" | date: "long" }}`, "April 15, 2026"},
		{"fr", `{{ "2026-04-15" | date: "%Y-%m-%d" }}`, "2026-04-15"},
		{"de", `{{ "2026-04-15T15:04:05" | date: "%x %X" }}`, "15.04.26 15:04:05"},
	} {
		out, err := compile(t, content.Sources{Text: tt.source}).Render(nil, content.Env{Customs: content.CustomsOf(tt.locale)})
		if err != nil || out.Text != tt.want {
			t.Errorf("%s: %s = %q (%v), want %q", tt.locale, tt.source, out.Text, err, tt.want)
		}
	}
}

// What the table holds is written into HTML as it is.
func TestNoSeparatorIsAMarkOfHTML(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("customs_table.go")
	if err != nil || strings.ContainsAny(strings.ReplaceAll(string(raw), `map[string]*Customs`, ""), "<>&") {
		t.Errorf("the table has marks of HTML (%v)", err)
	}
}
