package decision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rapport/internal/core/decision"
	"rapport/internal/core/spec"
)

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	got := decision.ParsePolicy(node(
		"zone", text("Europe/Paris"), "currency", text("eur"),
		"caps", node("all", node("per", text("7d"), "most", number("3")), "email", list(node("per", text("1d"), "most", number("1")), node("per", text("2w"), "most", number("5")))),
		"gap", text("1h30m"),
		"quiet", list(node("from", text("20:00"), "to", text("09:00")), node("from", text("00:00"), "to", text("24:00"), "days", list(text("Sun")), "channels", text("sms"), "countries", list(text("France")))),
		"at_cap", text("drop"), "at_quiet", text("defer"), "at_conversation", text("drop"),
		"max_deferral", text("2d"), "expires", text("36h"),
		"owned_for", node("default", text("60d"), "categories", node("Coffee", text("14d"))),
		"substitutes", text("category"), "auction", text("0s"), "holdout", text("5%"),
	), &ps)
	want := decision.Policy{
		Zone: "Europe/Paris", Currency: "EUR",
		Caps: []decision.Cap{{"", 7 * day, 3}, {"email", day, 1}, {"email", 14 * day, 5}}, Gap: 90 * time.Minute,
		Quiet: []decision.Quiet{{From: 1200, To: 540}, {From: 0, To: 1440, Days: [7]bool{true}, Channels: []string{"sms"}, Countries: []string{"FR"}}},
		AtCap: decision.Drop, AtConversation: decision.Drop, MaxDeferral: 2 * day, Expires: 36 * time.Hour,
		OwnedFor: 60 * day, OwnedIn: []decision.Owned{{Category: "Coffee", For: 14 * day}}, Substitutes: decision.SameCategory, Holdout: 0.05,
	}
	if len(ps.All()) != 0 {
		t.Fatalf("problems: %v", ps.All())
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(decision.Quiet{})); diff != "" {
		t.Fatal(diff)
	}
}

func TestAPolicyThatIsAbsentIsTheDefault(t *testing.T) {
	t.Parallel()
	var ps spec.Problems
	got := decision.ParsePolicy(spec.Node{}, &ps)
	if diff := cmp.Diff(decision.Defaults(), got, cmpopts.IgnoreUnexported(decision.Quiet{})); diff != "" || ps.Bad() {
		t.Fatal(diff, ps.All())
	}
}

func TestParsePolicySaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		n    spec.Node
		want string
	}{
		{"not a map", list(), "a policy is a map"},
		{"a setting that is not", node("cap", text("3")), `no setting "cap"`},
		{"twice", node("gap", text("1h"), "gap", text("2h")), "written twice"},
		{"a zone that is not", node("zone", text("London")), "not the name of a time zone"},
		{"a currency that is not", node("currency", text("pounds")), "three letters"},
		{"caps as a number", node("caps", number("3")), "caps are a map"},
		{"a cap without a period", node("caps", node("all", node("most", number("3")))), "needs both"},
		{"a cap of a fraction", node("caps", node("all", node("per", text("7d"), "most", number("1.5")))), "whole number"},
		{"a cap with something else", node("caps", node("all", node("per", text("7d"), "max", number("3")))), `not "max"`},
		{"a period that is not", node("gap", text("soon")), "gap is a period"},
		{"a period too long", node("gap", text("99999d")), "at most ten years"},
		{"hours without the minutes", node("quiet", node("from", text("21"), "to", text("08:00"))), "time of day"},
		{"hours as a number of minutes", node("quiet", node("from", number("1260"), "to", text("08:00"))), "time of day"},
		{"hours of the whole day", node("quiet", node("from", text("08:00"), "to", text("08:00"))), "leave some of the week"},
		{"every hour of every day", node("quiet", node("from", text("00:00"), "to", text("24:00"))), "leave some of the week"},
		{"a weekday that is not", node("quiet", node("from", text("08:00"), "to", text("09:00"), "days", text("sunday"))), "not a weekday"},
		{"a country that is not", node("quiet", node("from", text("08:00"), "to", text("09:00"), "countries", text("Atlantis"))), "not a country"},
		{"neither defer nor drop", node("at_cap", text("hold")), "defer or drop"},
		{"expires at once", node("expires", text("0")), "never sent"},
		{"a substitute that is not", node("substitutes", text("brand")), "none or category"},
		{"an auction", node("auction", text("10m")), "not supported"},
		{"a holdout of everybody", node("holdout", text("100%")), "share of the customers"},
		{"a holdout that is no number", node("holdout", text("some")), "share of the customers"},
		{"a list where one value stands", node("zone", list(text("UTC"))), "needs one value"},
		{"owned_for with something else", node("owned_for", node("Coffee", text("14d"))), "default and categories"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var ps spec.Problems
			decision.ParsePolicy(c.n, &ps)
			if len(ps.All()) != 1 || !strings.Contains(ps.All()[0].Error(), c.want) {
				t.Fatalf("problems = %v, want one with %q", ps.All(), c.want)
			}
		})
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{"0": 0, "90d": 90 * day, "1d12h": 36 * time.Hour, "2w": 14 * day, "5m30s": 330 * time.Second} {
		if got, ok := decision.Period(s); !ok || got != want {
			t.Errorf("Period(%q) = %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "d", "5", "5x", "-1d", "1.5h", "9999999999999999999d", "3660d1s", " 1d"} {
		if got, ok := decision.Period(s); ok {
			t.Errorf("Period(%q) = %v, want none", s, got)
		}
	}
}
