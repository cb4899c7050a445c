package page_test

import (
	"testing"
	"time"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

func TestNumbersAreWrittenAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "−1,234", -9223372036854775808: "−9,223,372,036,854,775,808"} {
		if got := page.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	if got := page.Plural(1, "line", "lines") + page.Plural(2000, "line", "lines"); got != "1 line2,000 lines" {
		t.Errorf("Plural = %q", got)
	}
	for share, want := range map[float64]string{0: "0 %", .1: "10 %", .526: "52.6 %", 1: "100 %"} {
		if got := page.Percent(share); got != want {
			t.Errorf("Percent(%v) = %q, want %q", share, got, want)
		}
	}
}

func TestMoneyKeepsEveryDigitThatWasSpent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		micros   money.Micros
		currency money.Currency
		want     string
		rounded  string
	}{
		{12_500_000, "GBP", "£12.50", "£13"},
		{-1_234_567_001, "EUR", "−€1,234.567001", "−€1,235"},
		{1_000, "USD", "$0.001", "$0"},
		{9_747_747_934_000, "GBP", "£9,747,747.934", "£9,747,748"},
		{5_000_000, "SEK", "5.00 SEK", "5 SEK"},
		{5_000_000, "", "5.00", "5"},
		{0, "GBP", "£0.00", "£0"},
	} {
		if got := page.Money(c.micros, c.currency); got != c.want {
			t.Errorf("Money(%d, %s) = %q, want %q", c.micros, c.currency, got, c.want)
		}
		if got := page.Rounded(c.micros, c.currency); got != c.rounded {
			t.Errorf("Rounded(%d, %s) = %q, want %q", c.micros, c.currency, got, c.rounded)
		}
	}
}

func TestTimesAreToldByTheShopsClock(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	summer := event.At(time.Date(2011, 7, 1, 23, 30, 0, 0, time.UTC))
	c := page.Clock{Zone: london, Now: summer.Add(3 * time.Hour)}
	w := c.When(summer)
	if w.Text != "2 July 2011, 00:30" || w.Ago != "3 hours ago" || w.ISO != "2011-07-01T23:30:00.000Z" {
		t.Errorf("When = %+v", w)
	}
	for _, t0 := range []event.Time{0, event.Never} {
		if w := c.When(t0); w != (page.When{}) || c.Date(t0) != "" {
			t.Errorf("an instant that is not known reads %+v", w)
		}
	}
}

func TestLengthsOfTimeDoNotClaimMoreThanTheyKnow(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "just now", 4 * time.Second: "4 seconds ago", 61 * time.Second: "1 minute ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago",
		60 * day: "60 days ago", 400 * day: "13 months ago", 800 * day: "2 years ago", -time.Millisecond: "now", -3 * day: "in 3 days",
	} {
		if got := page.Ago(d); got != want {
			t.Errorf("Ago(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestATitleBeginsWithACapitalInAnyScript(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"": "", "a": "A", "ähre": "Ähre", "日本": "日本", "\xff": "\xff", "\xffa": "\xffa"} {
		if got := page.Title(s); got != want {
			t.Errorf("Title(%q) = %q, want %q", s, got, want)
		}
	}
}
